//! A proxy between a store and its server. It can stop answering, like a host that lost its power, and it can drop the
//! connections' settings, like a pooler.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

/// Which messages pass the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No message, in either direction.
    Dark,
    /// Only the store's messages; the store receives nothing.
    Mute,
    /// Every message.
    Open,
}

/// Connections that were open at a change never get an answer, and are not closed.
type State = Arc<Mutex<(u64, Link)>>;

pub struct Proxy {
    /// The server's URL through this proxy.
    pub url: String,
    state: State,
}

impl Proxy {
    /// Starts a proxy in front of the server that a URL names.
    pub async fn before(url: &str, leaves_out_options: bool) -> Self {
        let (user, place) = url.split_once('@').unwrap();
        let (server, database) = place.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{user}@{}/{database}", listener.local_addr().unwrap());
        let state: State = Arc::new(Mutex::new((0, Link::Open)));
        let (server, shared) = (server.to_owned(), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connection = Connection { born: shared.lock().unwrap().0, state: Arc::clone(&shared) };
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(connection.serve(client, server, leaves_out_options));
            }
        });
        Self { url, state }
    }

    pub fn set(&self, link: Link) {
        let mut state = self.state.lock().unwrap();
        *state = (state.0 + 1, link);
    }
}

struct Connection {
    born: u64,
    state: State,
}

impl Connection {
    async fn serve(self, mut client: TcpStream, mut server: TcpStream, leaves_out_options: bool) -> Option<()> {
        let mut startup = message(&mut client).await?;
        if startup[4..8] == 80_877_103_u32.to_be_bytes() {
            client.write_all(b"N").await.ok()?;
            startup = message(&mut client).await?;
        }
        if leaves_out_options {
            startup = without_options(&startup);
        }
        if self.hears() {
            server.write_all(&startup).await.ok()?;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            _ = pump(from_client, to_server, || self.hears()) => {}
            _ = pump(from_server, to_client, || self.speaks()) => {}
        }
        Some(())
    }

    fn hears(&self) -> bool {
        let (changes, link) = *self.state.lock().unwrap();
        link == Link::Mute || (changes == self.born && link == Link::Open)
    }

    fn speaks(&self) -> bool {
        *self.state.lock().unwrap() == (self.born, Link::Open)
    }
}

/// Ends when one side closes its connection. While no message may pass, the close is not passed on either.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passes: impl Fn() -> bool) -> Option<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut buffer).await.ok()?;
        match (length, passes()) {
            (0, true) => return None,
            (0, false) => std::future::pending().await,
            (_, true) => to.write_all(&buffer[..length]).await.ok()?,
            (_, false) => {}
        }
    }
}

/// A start-up message: its length, which includes itself, and the rest.
async fn message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut whole = length.to_be_bytes().to_vec();
    whole.resize(length as usize, 0);
    from.read_exact(&mut whole[4..]).await.ok()?;
    Some(whole)
}

/// The version, then names and values, each ended by a zero, and a last zero.
fn without_options(startup: &[u8]) -> Vec<u8> {
    let texts: Vec<&[u8]> = startup[8..startup.len() - 2].split(|byte| *byte == 0).collect();
    let kept = texts.chunks(2).filter(|pair| pair[0] != b"options").flatten();
    let mut rest: Vec<u8> = kept.flat_map(|text| [*text, b"\0"].concat()).collect();
    rest.push(0);
    [&(rest.len() as u32 + 8).to_be_bytes(), &startup[4..8], &rest].concat()
}
