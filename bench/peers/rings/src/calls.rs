//! Calls from one thread's runtime to another's, and their results: a channel of requests, each with a channel for its answer.

use std::time::Instant;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

const COUNT: usize = 300_000;
const LONE_COUNT: usize = 20_000;

pub fn tokio(outstanding: usize) {
    let (sender, mut requests) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(1024);
    let server = std::thread::spawn(move || {
        Builder::new_current_thread().build().expect("a runtime").block_on(async move {
            while let Some((value, answer)) = requests.recv().await {
                let _ = answer.send(value * value);
            }
        });
    });
    let count = if outstanding == 1 { LONE_COUNT } else { COUNT };
    let start = Instant::now();
    Builder::new_current_thread().build().expect("a runtime").block_on(async {
        let tasks = (0..outstanding).map(|_| {
            let sender = sender.clone();
            async move {
                for value in 0..count / outstanding {
                    let (answer, result) = oneshot::channel();
                    sender.send((value as u64, answer)).await.expect("the server runs");
                    assert_eq!(result.await, Ok((value * value) as u64));
                }
            }
        });
        let local = tokio::task::LocalSet::new();
        let handles: Vec<_> = tasks.map(|task| local.spawn_local(task)).collect();
        local.run_until(async { for handle in handles { handle.await.expect("a task ends") } }).await;
    });
    let seconds = start.elapsed().as_secs_f64();
    drop(sender);
    server.join().expect("the server ends");
    let calls = (count / outstanding * outstanding) as f64;
    println!("{{\"callsPerSecond\":{},\"microsecondsPerCall\":{}}}", calls / seconds, seconds / calls * 1e6);
}
