//! Decides how processes are ended by signals: how this program sends a signal to another process, and what this
//! program cleans up before a signal ends it.

use std::{
    future,
    process::{Child, Command},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use crate::shell;

/// The signals that end this program, with their numbers.
const SIGNALS: [(SignalKind, i32); 3] =
    [(SignalKind::hangup(), 1), (SignalKind::interrupt(), 2), (SignalKind::terminate(), 15)];
/// The longest time for cleaning up before this program ends.
const PATIENCE: Duration = Duration::from_secs(60);

type Act = Box<dyn Fn() + Send>;

/// The clean-up actions to run before a signal ends this program.
static ACTS: Mutex<Vec<Act>> = Mutex::new(Vec::new());
/// Whether a signal was received.
static CAME: AtomicBool = AtomicBool::new(false);

/// Sends a signal to a process.
pub(crate) fn to_process(pid: u32, signal: &str) -> anyhow::Result<()> {
    send(&pid.to_string(), signal)
}

/// Sends a signal to all processes of a group.
pub(crate) fn to_group(group: u32, signal: &str) -> anyhow::Result<()> {
    send(&format!("-{group}"), signal)
}

fn send(target: &str, signal: &str) -> anyhow::Result<()> {
    // The shell's built-in `kill`, because a minimal system may have no `kill` program.
    let mut kill = Command::new("/bin/sh");
    shell::output(kill.args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", signal, target])).map(drop)
}

/// Ends a child that leads its own process group. The child is first asked to end, so that it can stop what it started.
/// If it takes too long, the whole group is killed.
pub(crate) fn end_group(child: &mut Child, patience: Duration) -> anyhow::Result<()> {
    let pid = child.id();
    let begin = Instant::now();
    let mut asked = to_process(pid, "TERM").is_ok();
    while child.try_wait().context("a child can't be waited for")?.is_none() {
        if !asked || begin.elapsed() > patience {
            to_group(pid, "KILL").or_else(|_| child.kill().context("a child can't be killed"))?;
            asked = true;
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

/// Registers an action to run before SIGHUP, SIGINT or SIGTERM ends this program.
pub(crate) fn before_end(act: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    static WATCH: Once = Once::new();
    ACTS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(act));
    let mut watching = Ok(());
    WATCH.call_once(|| watching = watch());
    watching.context("signals can't be watched")
}

/// Call this after a child has failed. A signal may have ended both the child and this program: in that case this
/// function doesn't return, so that no new work is started.
pub(crate) fn hold_when_interrupted() {
    // The child may end before the thread that watches for signals has noticed one.
    thread::sleep(Duration::from_millis(200));
    while CAME.load(Ordering::SeqCst) {
        thread::sleep(PATIENCE);
    }
}

fn watch() -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = listen(&runtime)?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let number = next(&mut signals).await;
            CAME.store(true, Ordering::SeqCst);
            eprintln!("stopping the started processes; a second signal ends this program at once");
            let acts = tokio::task::spawn_blocking(|| {
                ACTS.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|act| act());
            });
            tokio::select! {
                _ = acts => {}
                _ = next(&mut signals) => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
            std::process::exit(128 + number);
        });
    });
    Ok(())
}

fn listen(runtime: &Runtime) -> std::io::Result<Vec<(Signal, i32)>> {
    let _inside = runtime.enter();
    SIGNALS.into_iter().map(|(kind, number)| Ok((signal(kind)?, number))).collect()
}

/// The number of the next signal.
async fn next(signals: &mut [(Signal, i32)]) -> i32 {
    future::poll_fn(|context| {
        let mut came =
            signals.iter_mut().filter_map(|(signal, number)| signal.poll_recv(context).is_ready().then_some(*number));
        came.next().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    /// The exit status of a child that runs a script in its own process group. It fails if the child takes longer than
    /// some seconds.
    fn ended(script: &str) -> anyhow::Result<std::process::ExitStatus> {
        let begin = Instant::now();
        let mut shell = Command::new("/bin/sh");
        let mut child = shell.args(["-c", script]).process_group(0).stdout(std::process::Stdio::piped()).spawn()?;
        // The script prints a line after it has set its traps.
        let mut said = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(child.stdout.take().context("no output")?),
            &mut said,
        )?;
        end_group(&mut child, Duration::from_millis(300))?;
        assert!(begin.elapsed() < Duration::from_secs(10), "{script}");
        Ok(child.wait()?)
    }

    #[test]
    fn a_child_is_asked_first_and_killed_when_it_does_not_listen() -> anyhow::Result<()> {
        use std::os::unix::process::ExitStatusExt;
        let orderly = ended("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")?;
        assert_eq!(orderly.code(), Some(7));
        let deaf = ended("trap '' TERM; echo ready; while :; do sleep 0.05; done")?;
        assert_eq!(deaf.signal(), Some(9));
        Ok(())
    }

    #[test]
    fn who_is_gone_already_is_no_error() -> anyhow::Result<()> {
        let mut child = Command::new("true").spawn()?;
        child.wait()?;
        end_group(&mut child, Duration::from_millis(10))
    }
}
