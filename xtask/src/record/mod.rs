//! Decides how a scenario is recorded: deliveries that a provider, or a stand-in for one, sends to an address on this
//! machine become a folder that the kit can read, with everything masked that must not be kept. The expectations at the
//! end of the scenario must be written by a person.

mod body;
mod folder;
mod mask;
mod rules;
mod server;
#[cfg(test)]
mod tests;
mod verify;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    record::{folder::Folder, mask::Mask, rules::Rules, verify::Verifier},
    shell::{self, Tone, paint},
};

/// Receives deliveries on this machine, masks personal and secret values, and writes the deliveries to disk as a
/// scenario.
///
/// Forward the deliveries with the provider's own forwarder, or send them from a stand-in. Secrets, e-mail addresses,
/// names, phone numbers, postal addresses, card digits, IP addresses, tax ids and URLs with tokens are replaced by
/// invented values; equal values get equal replacements. The file fixtures/PROVIDER/scrub.toml lists the provider's
/// fields and what they contain. Check the files before you commit them: no list is complete.
///
/// NNN in the file names is the order of arrival. Rename the files if the provider's true order is different.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The provider: the name of its folder in fixtures.
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// The scenario's folder: FIXTURES/PROVIDER/SCENARIO. It must not exist yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The address to listen on. It must be an address of this machine that others can't reach. With port 0 the system
    /// chooses a port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Verifies each delivery with the signing secret in this environment variable, and answers 400 if it isn't
    /// genuine. Default: deliveries aren't verified and all are accepted.
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Option<String>,
    /// Keeps the signatures of bodies in which nothing was masked, and writes the signing secret to the scenario as
    /// well. Use this only for the secret of a stand-in that may be published. Default: no signature is kept.
    #[arg(long, requires = "secret_env")]
    keep_signatures: bool,
    /// Stops after N deliveries. Default: records until Ctrl-C.
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Also replaces ids; equal ids get equal replacements in all bodies of the recording. Default: ids are kept.
    #[arg(long)]
    map_ids: bool,
    /// The list of the provider's fields. Default: fixtures/PROVIDER/scrub.toml.
    #[arg(long, value_name = "FILE")]
    scrub: Option<PathBuf>,
    /// A description of where the deliveries come from, for the field `source` in scenario.toml.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

/// Records until it is stopped, then prints a summary.
pub(crate) fn run(args: RecordArgs) -> anyhow::Result<ExitCode> {
    let rules = rules(&args)?;
    let (recorder, listen) = (recorder(&args, rules)?, args.listen);
    let (out, count) = (args.out, args.count);
    let runtime = tokio::runtime::Runtime::new().context("the async runtime can't be started")?;
    let deliveries = runtime.block_on(async {
        let server = server::bind(listen, recorder).await?;
        println!("listening on http://{}/ ; the path doesn't matter", server.address());
        match count {
            Some(count) => println!("recording {count} deliveries into {}; Ctrl-C ends it earlier", out.display()),
            None => println!("recording into {}; Ctrl-C ends it", out.display()),
        }
        let recorder = server.run(count).await?;
        let recorder = recorder.lock().await;
        print!("{}", recorder.summary());
        anyhow::Ok(recorder.folder.deliveries())
    })?;
    Ok(if deliveries > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rules(args: &RecordArgs) -> anyhow::Result<Rules> {
    let own = shell::root().join("fixtures").join(&args.provider).join("scrub.toml");
    let file = args.scrub.as_deref().unwrap_or(&own);
    if args.scrub.is_none() && !file.exists() {
        eprintln!(
            "{}: there is no {}; only what is known for every provider is scrubbed, and files are named by /type",
            paint(Tone::Warn, "warning"),
            file.display()
        );
        return Rules::parse("");
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    Rules::parse(&text).with_context(|| format!("{} can't be read", file.display()))
}

fn recorder(args: &RecordArgs, rules: Rules) -> anyhow::Result<Recorder> {
    if !args.listen.ip().is_loopback() {
        bail!(
            "other machines can reach {}; listen on loopback (127.0.0.1 or [::1]), and let the provider's forwarder \
             deliver to it",
            args.listen
        );
    }
    let of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    if std::path::absolute(&args.out)?.parent().and_then(of).as_deref() != Some(args.provider.as_str()) {
        bail!("--out {} is not a scenario folder of {1}; write …/{1}/NAME", args.out.display(), args.provider);
    }
    let secret = match &args.secret_env {
        None => None,
        Some(name) => Some(std::env::var(name).with_context(|| format!("--secret-env {name} can't be read"))?),
    };
    let verifier = match &args.secret_env {
        None => None,
        Some(name) => Some(Verifier::start(&args.provider, name)?),
    };
    let known = if args.keep_signatures { secret.clone() } else { None };
    let mask = Mask::new(rules, args.map_ids, secret)?;
    let folder = Folder::create(&args.out, &args.provider, args.source.clone(), known)?;
    Ok(Recorder { folder, mask, verifier, refused: Vec::new() })
}

/// One request as received.
pub(crate) struct Request {
    /// Header names in lower case, in the order of arrival.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The state of a recording.
pub(crate) struct Recorder {
    folder: Folder,
    mask: Mask,
    verifier: Option<Verifier>,
    /// The reasons why deliveries were rejected.
    refused: Vec<String>,
}

impl Recorder {
    /// Accepts one delivery.
    ///
    /// # Errors
    /// The reason why the delivery is rejected, for its sender.
    fn take(&mut self, request: &Request) -> Result<String, String> {
        let taken = self.try_take(request);
        match &taken {
            Ok(name) => println!("{} {name}", paint(Tone::Good, "recorded")),
            Err(why) => {
                eprintln!("{} {why}", paint(Tone::Bad, "rejected"));
                self.refused.push(why.clone());
            }
        }
        taken
    }

    fn try_take(&mut self, request: &Request) -> Result<String, String> {
        let value: serde_json::Value =
            serde_json::from_slice(&request.body).map_err(|error| format!("a body that is not JSON: {error}"))?;
        if let Some(verifier) = &mut self.verifier {
            verifier.check(request).map_err(|why| format!("a delivery that isn't genuine: {why}"))?;
        }
        let event_type = self.mask.rules().event_type(&value).unwrap_or("unknown").to_owned();
        let scrubbed = self.mask.body(&request.body).map_err(|error| format!("{event_type}: {error:#}"))?;
        let headers = self.mask.headers(&request.headers, self.folder.keeps_signatures() && scrubbed == request.body);
        self.folder
            .add(&event_type, &request.body, &scrubbed, headers)
            .map_err(|error| format!("{event_type}: {error:#}"))
    }

    /// The summary: what was recorded, what was replaced, and what is left to do.
    fn summary(&self) -> String {
        let folder = &self.folder;
        let mut told = format!("\n{} deliveries in {}\n", folder.deliveries(), folder.path().display());
        if folder.repeated() > 0 {
            told.push_str(&format!("repeated byte for byte, and not written again: {}\n", folder.repeated()));
        }
        match self.mask.counts().is_empty() {
            true => told.push_str("nothing was scrubbed\n"),
            false => told.push_str("scrubbed:\n"),
        }
        for (kind, (values, places)) in self.mask.counts() {
            told.push_str(&format!("  {kind:<14} {values} different, in {places} places\n"));
        }
        for why in &self.refused {
            told.push_str(&format!("rejected: {why}\n"));
        }
        if folder.deliveries() > 0 {
            told.push_str(
                "next: check every body; renumber the files in the provider's true order; fill in scenario.toml, with \
                 expectations from the documentation. The kit refuses a scenario without expectations.\n",
            );
        }
        told
    }
}
