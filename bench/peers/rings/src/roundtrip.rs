//! A message of 64 bytes there and back, both sides looking all the time.

use std::hint::spin_loop;
use std::thread;
use std::time::Instant;

const WARM_UP: usize = 20_000;
const COUNT: usize = 200_000;

pub fn rtrb() {
    let (mut to, mut from_there) = rtrb::RingBuffer::<[u8; 64]>::new(1024);
    let (mut back, mut from_here) = rtrb::RingBuffer::<[u8; 64]>::new(1024);
    let echo = thread::spawn(move || {
        for _ in 0..WARM_UP + COUNT {
            let message = loop {
                match from_there.pop() {
                    Ok(message) => break message,
                    Err(_) => spin_loop(),
                }
            };
            while back.push(message).is_err() {
                spin_loop();
            }
        }
    });
    let mut nanoseconds = Vec::with_capacity(COUNT);
    for index in 0..WARM_UP + COUNT {
        let start = Instant::now();
        while to.push([1; 64]).is_err() {
            spin_loop();
        }
        while from_here.pop().is_err() {
            spin_loop();
        }
        if index >= WARM_UP {
            nanoseconds.push(start.elapsed().as_nanos());
        }
    }
    echo.join().expect("the echo ends");
    nanoseconds.sort_unstable();
    println!("{{\"p50Ns\":{},\"p99Ns\":{}}}", nanoseconds[COUNT / 2], nanoseconds[COUNT / 100 * 99]);
}
