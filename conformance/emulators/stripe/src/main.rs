//! Stripe's emulator as a command.

use clap::Parser;
use purchase_emulator::serve::{self, Options};
use purchase_emulator_stripe::{Stripe, StripeSettings};

/// A stateful Stripe, offline: its API, its signed webhooks and its checkout page, on a clock of its own. The first line on
/// standard output is its address. GET /_emulator lists the routes that control it.
#[derive(Debug, Parser)]
#[command(name = "purchase-emulator-stripe", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(Cli::parse().options, |settings: StripeSettings, address| {
        Stripe::new(StripeSettings { page_base: address.to_owned(), ..settings })
    })
    .await
}
