//! Reads every stored event of a database again with this version of the library, and lists the customers' answers that
//! change. Run it after an upgrade, before anyone gains or loses access unnoticed. By default it is a dry run;
//! `--apply` writes the changes.
//!
//! ```text
//! cargo run --release --example reread -- --database sqlite://purchase.sqlite --stripe-mode live
//! ```
//!
//! Changes are printed to stdout, one per line or as one JSON object; everything else goes to stderr. No signing secret
//! is needed, because bodies were verified when they arrived. The rest of your endpoints' configuration is needed,
//! including the catalogue, because the meaning of a body depends on it. Events of a provider that isn't named here are
//! counted and left unchanged. The tables must have this version's schema: run its migrations first.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use purchase::{
    engine::{Answer, AnswerChange, Engine, RereadOptions, RereadReport, Settings},
    id::Mode,
    paddle::{CustomData, Paddle, PaddleConfig, Simulated},
    stripe::{Accounts, ClientReference, ConnectedMetadata, ModePolicy, Stripe, StripeConfig},
    time::Timestamp,
};
use serde_json::json;
use tracing_subscriber::EnvFilter;

/// Reads all stored events again with this version of the library, and lists the answers about access that change.
#[derive(Parser)]
pub(crate) struct Args {
    /// The URL of the database, in the form that `purchase::open` takes.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database: String,
    /// Writes the changes to the database. Default: a dry run that writes nothing.
    #[arg(long)]
    apply: bool,
    /// The time, in RFC 3339, at which the old and the new answers are compared. Default: now.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// The catalogue, a TOML file with a table `prices` and lines like `"price_…" = "product:plan"`. Default: an empty
    /// catalogue.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// The output format of the changes.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The largest number of changes to list.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    listed: usize,
    /// Reads Stripe's events of this mode, as your Stripe endpoint is configured. Without this option, Stripe's events
    /// are left unchanged.
    #[arg(long, value_enum)]
    stripe_mode: Option<Modes>,
    /// The Stripe endpoint serves connected accounts as well as its own account. Default: only its own.
    #[arg(long, requires = "stripe_mode")]
    stripe_any_account: bool,
    /// The `client_reference_id` of a Stripe checkout is the application's customer id. Default: it is ignored.
    #[arg(long, requires = "stripe_mode")]
    stripe_client_reference: bool,
    /// The application's keys in metadata are also trusted on objects of connected Stripe accounts. Default: they are
    /// ignored there.
    #[arg(long, requires = "stripe_any_account")]
    stripe_connected_metadata: bool,
    /// Reads Paddle's events, and states whether the notification destination belongs to a live account or a sandbox.
    /// Without this option, Paddle's events are left unchanged.
    #[arg(long, value_enum)]
    paddle_mode: Option<PaddleMode>,
    /// The application's keys in Paddle's custom data are also trusted on transactions and subscriptions. Default: only
    /// on customers.
    #[arg(long, requires = "paddle_mode")]
    paddle_custom_data_everywhere: bool,
    /// Also reads deliveries of Paddle's webhook simulator. Default: they are refused.
    #[arg(long, requires = "paddle_mode")]
    paddle_simulated: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Modes {
    Both,
    Live,
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PaddleMode {
    Live,
    Test,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(&Args::parse(), &mut io::stdout()).await {
        Ok(summary) => {
            eprintln!("{summary}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the changes, and returns the summary.
pub(crate) async fn run(args: &Args, out: &mut (dyn Write + Send)) -> anyhow::Result<String> {
    let engine = engine(args).await?;
    let as_of = match &args.as_of {
        Some(text) => Timestamp::parse_rfc3339(text).context("--as-of")?,
        None => now()?,
    };
    let report = engine.reread(&RereadOptions { dry_run: !args.apply, as_of, listed: args.listed }).await?;
    match args.format {
        Format::Json => {
            let mut shown = serde_json::to_value(&report)?;
            shown["format_version"] = json!(1);
            writeln!(out, "{shown:#}")?;
        }
        Format::Text => report.changes.iter().try_for_each(|change| writeln!(out, "{}", line(change)))?,
    }
    Ok(summary(&report))
}

async fn engine(args: &Args) -> anyhow::Result<Engine> {
    let catalog = match &args.catalog {
        Some(path) => toml::from_str(&fs::read_to_string(path).context("--catalog")?).context("--catalog")?,
        None => Settings::default().catalog,
    };
    let store = purchase::open::existing(&args.database).await.context("--database")?;
    let mut engine = Engine::new(store).with_settings(Settings { catalog, ..Settings::default() });
    if let Some(mode) = args.stripe_mode {
        let mode = match mode {
            Modes::Both => ModePolicy::Both,
            Modes::Live => ModePolicy::Only(Mode::Live),
            Modes::Test => ModePolicy::Only(Mode::Test),
        };
        let mut config = StripeConfig::new(mode, [""; 0])?;
        config.accounts = if args.stripe_any_account { Accounts::Any } else { Accounts::Own };
        if args.stripe_client_reference {
            config.client_reference = ClientReference::CustomerId;
        }
        if args.stripe_connected_metadata {
            config.connected_metadata = ConnectedMetadata::Believed;
        }
        engine = engine.with_provider(Arc::new(Stripe::reader(config)?));
    }
    if let Some(mode) = args.paddle_mode {
        let mode = if mode == PaddleMode::Live { Mode::Live } else { Mode::Test };
        let mut config = PaddleConfig::new(mode, [""; 0])?;
        if args.paddle_custom_data_everywhere {
            config.custom_data = CustomData::Everywhere;
        }
        if args.paddle_simulated {
            config.simulated = Simulated::Mark;
        }
        engine = engine.with_provider(Arc::new(Paddle::reader(config)?));
    }
    if args.stripe_mode.is_none() && args.paddle_mode.is_none() {
        bail!("name at least one provider: --stripe-mode or --paddle-mode");
    }
    Ok(engine)
}

/// `stripe live user_1 pro:monthly: access until 2026-02-01T00:00:00Z, 3 → no access (event_…, event_…)`
fn line(change: &AnswerChange) -> String {
    let AnswerChange { provider, mode, customer, benefit, before, after, events, events_left_off, .. } = change;
    let mut reasons = events.join(", ");
    if *events_left_off > 0 {
        reasons.push_str(&format!(" and {events_left_off} more"));
    }
    if reasons.is_empty() {
        reasons.push_str("the events read the same, but their fold changed");
    }
    format!("{provider} {mode} {customer} {benefit}: {} → {} ({reasons})", said(*before), said(*after))
}

fn said(answer: Option<Answer>) -> String {
    let Some(Answer { access, until, quantity }) = answer else { return "nothing".to_owned() };
    let mut said = if access { "access" } else { "no access" }.to_owned();
    if let Some(until) = until {
        said.push_str(&format!(" until {until}"));
    }
    if let Some(quantity) = quantity {
        said.push_str(&format!(", {quantity}"));
    }
    said
}

fn summary(report: &RereadReport) -> String {
    let RereadReport { read, changed_readings, subjects, changed_subjects, changed_customers, .. } = report;
    let mut lines = vec![
        format!("{read} events were read; the meaning of {changed_readings} changes"),
        format!("{subjects} subjects were folded; the state of {changed_subjects} changes"),
        format!(
            "the answers for {changed_customers} customers change; {} changes are not listed",
            report.changes_left_off
        ),
    ];
    for (code, count) in &report.left {
        lines.push(format!("{count} events were left unchanged: {code}"));
    }
    if report.unreadable_now > 0 {
        lines.push(format!("{} events can no longer be read; their facts are kept", report.unreadable_now));
    }
    if report.queued > 0 {
        lines.push(format!("{} events still wait for a worker and were not read", report.queued));
    }
    let end = match report.applied {
        true => "the changes were written",
        false => "nothing was written; use --apply to write the changes",
    };
    lines.push(end.to_owned());
    lines.join("\n")
}

fn now() -> anyhow::Result<Timestamp> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since_1970.as_micros())?)?)
}
