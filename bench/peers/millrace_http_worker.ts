/** A worker of the supervisors that are measured: an HTTP server on the socket that it is given. */
import { HttpResponse, serve } from "../../src/io/http/mod.ts";
import { workerMain } from "../../src/run/process/mod.ts";

await workerMain((worker) => {
  worker.drain(
    serve({ inherit: "http", port: 0, hostname: "127.0.0.1" }, () => new HttpResponse("Hello world!")),
  );
});
