//! Messages of N bytes from one thread to another, one at a time or so many in one step.

use crossbeam_queue::ArrayQueue;
use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// Bytes of every queue, as many as those of the rings they are compared with.
const CAPACITY_BYTES: usize = 1 << 18;
/// Bytes sent in one run, at least a million messages.
const RUN_BYTES: usize = 1 << 30;

pub fn run<const N: usize>(queue: &str, batch: usize) {
    let count = (RUN_BYTES / N).clamp(1_000_000, 10_000_000);
    let seconds = match (queue, batch) {
        ("rtrb", 1) => rtrb_single::<N>(count),
        ("rtrb", _) => rtrb_chunks::<N>(count, batch),
        ("crossbeam", _) => crossbeam::<N>(count),
        _ => panic!("expected rtrb or crossbeam"),
    };
    println!("{{\"messagesPerSecond\":{}}}", count as f64 / seconds);
}

fn rtrb_single<const N: usize>(count: usize) -> f64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<[u8; N]>::new(CAPACITY_BYTES / N);
    let writer = thread::spawn(move || {
        let message = black_box([1u8; N]);
        for _ in 0..count {
            while producer.push(message).is_err() {
                spin_loop();
            }
        }
    });
    let seconds = timed(count, || consumer.pop().ok().map(|message| u64::from(black_box(&message)[0])).map(|sum| (1, sum)));
    writer.join().expect("the writer ends");
    seconds
}

fn rtrb_chunks<const N: usize>(count: usize, batch: usize) -> f64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<[u8; N]>::new(CAPACITY_BYTES / N);
    let writer = thread::spawn(move || {
        let message = black_box([1u8; N]);
        let mut sent = 0;
        while sent < count {
            match producer.write_chunk_uninit(batch.min(count - sent)) {
                Ok(chunk) => sent += chunk.fill_from_iter(std::iter::repeat(message)),
                Err(_) => spin_loop(),
            }
        }
    });
    let seconds = timed(count, || {
        let available = consumer.slots().min(batch);
        let chunk = consumer.read_chunk(available).ok().filter(|_| available > 0)?;
        let (first, second) = chunk.as_slices();
        let sum = first.iter().chain(second).map(|message| u64::from(black_box(message)[0])).sum();
        chunk.commit_all();
        Some((available, sum))
    });
    writer.join().expect("the writer ends");
    seconds
}

fn crossbeam<const N: usize>(count: usize) -> f64 {
    let queue = Arc::new(ArrayQueue::<[u8; N]>::new(CAPACITY_BYTES / N));
    let theirs = queue.clone();
    let writer = thread::spawn(move || {
        let message = black_box([1u8; N]);
        for _ in 0..count {
            while theirs.push(message).is_err() {
                spin_loop();
            }
        }
    });
    let seconds = timed(count, || queue.pop().map(|message| (1, u64::from(black_box(&message)[0]))));
    writer.join().expect("the writer ends");
    seconds
}

/// Seconds from the first message to the last; `take` gives how many came, and something made of their bytes.
fn timed(count: usize, mut take: impl FnMut() -> Option<(usize, u64)>) -> f64 {
    let mut start = None;
    let mut received = 0;
    let mut sum = 0;
    while received < count {
        match take() {
            Some((more, bytes)) => {
                start.get_or_insert_with(Instant::now);
                received += more;
                sum += bytes;
            }
            None => spin_loop(),
        }
    }
    assert_eq!(sum, count as u64, "every message was looked at");
    start.expect("messages came").elapsed().as_secs_f64()
}
