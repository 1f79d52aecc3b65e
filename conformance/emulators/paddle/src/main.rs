//! Paddle's emulator as a command.

use clap::Parser;
use purchase_emulator::serve::{self, Options};
use purchase_emulator_paddle::{Account, Paddle};

/// A stateful Paddle, offline: its API, its signed webhooks and its checkout page, on a clock of its own. The first line on
/// standard output is its address. GET /_emulator lists the routes that control it.
#[derive(Debug, Parser)]
#[command(name = "purchase-emulator-paddle", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(Cli::parse().options, |settings: Account, address| {
        Paddle::new(Account { base_url: address.to_owned(), ..settings })
    })
    .await
}
