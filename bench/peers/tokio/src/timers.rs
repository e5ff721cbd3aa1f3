//! Schedules and cancels sleeps of 1 to 1000 ms, none of which is waited for.
//!
//! Both must run inside `tokio::task::unconstrained`: within a task's budget of 128 polls, a further sleep answers
//! pending without being armed, and the measurement would be of nothing.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// The delays that every timer contestant uses: spread over 1 to 1000 ms, the same in each run.
fn delay(index: usize) -> Duration {
    Duration::from_millis(1 + (index as u64 * 7919) % 1000)
}

/// A sleep is armed by its first poll, not by its creation.
fn scheduled(index: usize, context: &mut Context<'_>) -> Pin<Box<Sleep>> {
    let mut timer = Box::pin(sleep(delay(index)));
    let _ = black_box(timer.as_mut().poll(context));
    timer
}

/// Leaves one early timer pending, known to the parked driver. Without one, every sleep that is armed is the earliest
/// so far, and wakes the driver by writing to an eventfd: a cost that a program with any timer running does not have.
async fn arm_an_early_timer() {
    tokio::spawn(sleep(Duration::from_millis(2)));
    sleep(Duration::from_millis(1)).await;
}

/// All of them armed at once, then all cancelled in the order they were made.
pub async fn bulk(count: usize) {
    arm_an_early_timer().await;
    let mut context = Context::from_waker(Waker::noop());
    let mut timers = Vec::with_capacity(count);
    for index in 0..count {
        timers.push(scheduled(index, &mut context));
    }
    for timer in timers {
        drop(timer);
    }
}

/// Each cancelled as soon as it is armed, as a deadline around a call that succeeds.
pub async fn churn(count: usize) {
    arm_an_early_timer().await;
    let mut context = Context::from_waker(Waker::noop());
    for index in 0..count {
        drop(scheduled(index, &mut context));
    }
}
