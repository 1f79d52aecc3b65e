//! Decides how hostile clients attack: with everything that is possible for someone who knows the address but not the
//! secret.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clap::ValueEnum;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    sync::Barrier,
    task::JoinSet,
    time::sleep,
};

/// The announced size of a body in bytes.
const BODY_BYTES: usize = 1_000_000;
/// The bytes that a trickling client sends at a time, before it pauses. A whole body takes twelve seconds.
const TRICKLE_BYTES: usize = 16 << 10;
const TRICKLE_REST: Duration = Duration::from_millis(200);
/// A well-formed signature that wasn't made with the secret.
const FORGED: &str = "t=1,v1=abababababababababababababababababababababababababababababababab";

/// The kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Attack {
    /// No attack.
    None,
    /// Connections on which nothing is ever sent.
    Silent,
    /// Large bodies without a signature, as fast as possible.
    Unsigned,
    /// Large bodies with a forged signature, sent slowly.
    Trickled,
    /// One client whose body never ends, even after the server is asked to stop.
    SlowAtEnd,
}

impl Attack {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::None => "no attack",
            Self::Silent => "silent sockets",
            Self::Unsigned => "unsigned bodies of 1 MB",
            Self::Trickled => "forged bodies of 1 MB, trickled",
            Self::SlowAtEnd => "a slow client at shutdown",
        }
    }
}

/// Counts of what the hostile clients observed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    connected: AtomicU32,
    answered: AtomicU32,
    closed: AtomicU32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [connected, answered, closed] =
            [&self.connected, &self.answered, &self.closed].map(|count| count.load(Ordering::Relaxed));
        write!(f, "{connected} connections, {answered} answered, {closed} closed by the server without an answer")
    }
}

/// Clients that attack until they are stopped.
pub(super) struct Attackers {
    clients: JoinSet<()>,
    tally: Arc<Tally>,
}

impl Attackers {
    /// Disconnects all clients.
    pub(super) async fn end(mut self) -> Tally {
        self.clients.shutdown().await;
        Arc::into_inner(self.tally).unwrap_or_default()
    }
}

/// Connects all clients, and then starts the attack of all of them.
pub(super) async fn begin(attack: Attack, server: SocketAddr, clients: u32, on: &Handle) -> Attackers {
    let clients = match attack {
        Attack::None => 0,
        Attack::SlowAtEnd => 1,
        Attack::Silent | Attack::Trickled | Attack::Unsigned => clients,
    };
    let tally = Arc::new(Tally::default());
    let connected = Arc::new(Barrier::new(clients as usize + 1));
    let mut attackers = Attackers { clients: JoinSet::new(), tally: Arc::clone(&tally) };
    let flood: Arc<[u8]> = [head("X-Signature", "none").as_bytes(), &vec![b'x'; BODY_BYTES]].concat().into();
    for _ in 0..clients {
        let (tally, connected, flood) = (Arc::clone(&tally), Arc::clone(&connected), Arc::clone(&flood));
        let client = async move {
            let first = TcpStream::connect(server).await;
            connected.wait().await;
            let mut next = first;
            loop {
                if let Ok(stream) = next {
                    tally.connected.fetch_add(1, Ordering::Relaxed);
                    once(attack, stream, &flood, &tally).await;
                }
                if attack == Attack::SlowAtEnd {
                    return;
                }
                next = TcpStream::connect(server).await;
            }
        };
        attackers.clients.spawn_on(client, on);
    }
    connected.wait().await;
    attackers
}

/// Runs one connection until it ends.
async fn once(attack: Attack, stream: TcpStream, flood: &[u8], tally: &Tally) {
    let (mut from, mut to) = stream.into_split();
    let sending = async {
        // The server may answer and close the connection before it has read everything; sending then fails.
        match attack {
            Attack::None | Attack::Silent => {}
            Attack::Unsigned => drop(to.write_all(flood).await),
            Attack::Trickled | Attack::SlowAtEnd => {
                let piece = if attack == Attack::Trickled { TRICKLE_BYTES } else { 1 };
                let mut sent = to.write_all(head("Stripe-Signature", FORGED).as_bytes()).await;
                for _ in 0..BODY_BYTES / piece {
                    if sent.is_err() {
                        break;
                    }
                    sleep(TRICKLE_REST).await;
                    sent = to.write_all(&vec![b'x'; piece]).await;
                }
            }
        }
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        () = sending => None,
        answer = from.read_u8() => answer.ok(),
    };
    let count = if answer.is_some() { &tally.answered } else { &tally.closed };
    count.fetch_add(1, Ordering::Relaxed);
}

fn head(name: &str, value: &str) -> String {
    format!("POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\nContent-Length: {BODY_BYTES}\r\n\r\n")
}
