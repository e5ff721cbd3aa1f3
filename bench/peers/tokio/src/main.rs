//! The tokio contestants, one subcommand each, all on a current-thread runtime:
//!
//! `tokio_peer http`, `tokio_peer echo`: listen on 127.0.0.1, print the address, serve for ever.
//! `tokio_peer timers-bulk COUNT`, `tokio_peer timers-churn COUNT`: schedule and cancel, then end.

mod echo;
mod http;
mod timers;

use std::process::ExitCode;

use tokio::task::unconstrained;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokio_peer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let count = arguments.get(1).and_then(|text| text.parse::<usize>().ok());
    match (arguments.first().map(String::as_str), count) {
        (Some("http"), None) => runtime.block_on(http::serve()),
        (Some("echo"), None) => runtime.block_on(echo::serve()),
        (Some("timers-bulk"), Some(count)) => {
            runtime.block_on(unconstrained(timers::bulk(count)));
            Ok(())
        }
        (Some("timers-churn"), Some(count)) => {
            runtime.block_on(unconstrained(timers::churn(count)));
            Ok(())
        }
        _ => Err(std::io::Error::other(
            "usage: tokio_peer http | echo | timers-bulk COUNT | timers-churn COUNT",
        )),
    }
}
