//! Decides how the official SDKs judge the emulators: they are installed once, and each walks through its provider's
//! emulator as an application would, over HTTP.

use std::process::{Command, ExitCode};

use clap::Args;

use crate::{
    services,
    shell::{self, Tone, cargo_with, paint},
};

/// Lets the official SDKs walk through the emulators, verify every delivery and parse every answer.
#[derive(Debug, Args)]
pub(crate) struct JudgesArgs {
    /// Walks through this emulator only; repeat the option for several. Default: all.
    #[arg(long = "provider", value_name = "P")]
    providers: Vec<String>,
}

/// The providers that have an emulator and an SDK.
const PROVIDERS: [&str; 2] = ["paddle", "stripe"];

pub(crate) fn run(args: &JudgesArgs) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = args.providers.iter().find(|name| !PROVIDERS.contains(&name.as_str())) {
        anyhow::bail!("there is no emulator of {unknown:?}; there are {}", PROVIDERS.join(" and "));
    }
    let node = services::prepare_judges()?;
    let mut build = cargo_with(&["build", "--quiet", "--workspace", "--all-features", "--bins"]);
    shell::must(&mut build)?;
    let mut failed = 0;
    for provider in PROVIDERS {
        if !args.providers.is_empty() && !args.providers.iter().any(|name| name == provider) {
            continue;
        }
        println!("{} {provider}: its official SDK walks through its emulator", paint(Tone::Head, "--"));
        let program = shell::target_dir().join(format!("debug/purchase-emulator-{provider}"));
        let mut walk = Command::new(&node.program);
        walk.current_dir(&node.folder).arg(format!("{provider}.mjs")).arg(program);
        failed += u32::from(!walk.status()?.success());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
