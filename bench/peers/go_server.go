// Go's own servers: `go_server http` is net/http, `go_server echo` is net with a goroutine per connection. Both listen on
// 127.0.0.1, port chosen by the kernel, and print the address. Run with GOMAXPROCS=1, as every contestant has one core.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

const bufferBytes = 4 * 1024

func serveHTTP(listener net.Listener) error {
	fmt.Printf("listening on http://%s\n", listener.Addr())
	body := []byte("Hello world!")
	return http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		response.Header()["Content-Type"] = []string{"text/plain"}
		// A client that resets its connection is its own affair: the generator counts it.
		_, _ = response.Write(body)
	}))
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, bufferBytes)
	for {
		count, err := connection.Read(buffer)
		if count > 0 {
			if _, err := connection.Write(buffer[:count]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func serveEcho(listener net.Listener) error {
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go echo(connection)
	}
}

func main() {
	if len(os.Args) != 2 || (os.Args[1] != "http" && os.Args[1] != "echo") {
		fmt.Fprintln(os.Stderr, "usage: go_server http|echo")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err == nil {
		if os.Args[1] == "http" {
			err = serveHTTP(listener)
		} else {
			err = serveEcho(listener)
		}
	}
	fmt.Fprintln(os.Stderr, "go_server:", err)
	os.Exit(1)
}
