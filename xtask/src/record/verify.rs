//! Decides whether a delivery is genuine. It asks the conformance program, which contains every adapter; this program
//! depends on none.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, bail};
use serde_json::json;

use crate::{conformance, record::Request};

/// A running program that answers each delivery with a line.
pub(crate) struct Verifier {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Verifier {
    /// Starts the program for an adapter. The secret stays in its environment variable.
    pub(crate) fn start(provider: &str, variable: &str) -> anyhow::Result<Self> {
        let program = conformance::program()?;
        let mut child = Command::new(&program)
            .args(["--provider", provider, "--verify", variable])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let stdin = child.stdin.take().context("no input")?;
        let mut stdout = BufReader::new(child.stdout.take().context("no output")?);
        let mut ready = String::new();
        stdout.read_line(&mut ready)?;
        if ready.trim_end() != "ready" {
            bail!("deliveries of {provider} can't be verified; the output above says why");
        }
        Ok(Self { child, stdin, stdout })
    }

    /// Verifies one delivery.
    ///
    /// # Errors
    /// The reason why the delivery isn't genuine.
    pub(crate) fn check(&mut self, request: &Request) -> Result<(), String> {
        let headers: Vec<(&str, String)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), hex::encode(value))).collect();
        let line = json!({"headers": headers, "body": hex::encode(&request.body)});
        let mut answer = String::new();
        let asked = writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush());
        asked.and_then(|()| self.stdout.read_line(&mut answer)).map_err(|error| error.to_string())?;
        match answer.trim_end() {
            "genuine" => Ok(()),
            "" => Err("the program that verifies has ended".to_owned()),
            why => Err(why.to_owned()),
        }
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        // The program only waits for input from this one. It may have ended already, which is fine.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
