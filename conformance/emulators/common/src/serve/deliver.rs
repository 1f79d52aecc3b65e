//! Sends deliveries, one after the other, in the order in which they are due. What changes that order is chaos.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use super::{Running, real_now};
use crate::{emulated::Emulated, world::Outgoing};

/// How long a receiver may take to answer.
const TIME_OUT: Duration = Duration::from_secs(10);

pub(super) async fn run<P: Emulated>(running: Arc<Running<P>>) {
    // A redirect is a failed delivery, and loopback needs no proxy.
    let client = Client::builder().timeout(TIME_OUT).redirect(Policy::none()).no_proxy().build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "deliveries can't be sent");
            return std::future::pending().await;
        }
    };
    loop {
        // Registered before looking, so that no change is missed.
        let changed = running.changed.notified();
        let due = running.world.with(|world| world.deliveries_signed_at(real_now()));
        if due.is_empty() {
            // A retry may become due while a clock runs; the tick announces it.
            changed.await;
            continue;
        }
        for delivery in due {
            let status = send(&client, &delivery).await;
            running.world.with(|world| world.answered(delivery.number, status));
        }
        running.changed.notify_waiters();
    }
}

async fn send(client: &Client, delivery: &Outgoing) -> Option<u16> {
    let mut headers = HeaderMap::new();
    for (name, value) in delivery.headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let answer = client.post(&delivery.url).headers(headers).body(delivery.body.clone()).send().await;
    match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            tracing::info!(event_type = delivery.event_type, number = delivery.number, status, "a delivery");
            Some(status)
        }
        Err(error) => {
            let error = error.without_url();
            tracing::warn!(event_type = delivery.event_type, number = delivery.number, %error, "a delivery fails");
            None
        }
    }
}
