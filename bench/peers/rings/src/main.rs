//! Queues between two threads: `rings_peer rtrb|crossbeam throughput BYTES BATCH`, `rings_peer rtrb roundtrip`,
//! `rings_peer tokio calls OUTSTANDING`. Prints one JSON object.

mod calls;
mod roundtrip;
mod throughput;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |index: usize| words[index].parse::<usize>().expect("a number");
    match words[..2] {
        ["rtrb", "roundtrip"] => roundtrip::rtrb(),
        ["tokio", "calls"] => calls::tokio(number(2)),
        [queue, "throughput"] => match number(2) {
            8 => throughput::run::<8>(queue, number(3)),
            64 => throughput::run::<64>(queue, number(3)),
            256 => throughput::run::<256>(queue, number(3)),
            1024 => throughput::run::<1024>(queue, number(3)),
            bytes => panic!("no messages of {bytes} bytes here"),
        },
        _ => panic!("expected a queue and what to measure"),
    }
}
