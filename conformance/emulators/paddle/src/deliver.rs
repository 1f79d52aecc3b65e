//! Decides what a delivery looks like, how it is signed, and when it is tried again.

use hmac::{Hmac, KeyInit, Mac};
use purchase_emulator::Event;
use serde_json::json;
use sha2::Sha256;

use crate::ids;

/// Seconds between the attempts of a delivery. Documented for live accounts: 60 retries over three days, with exponential
/// back-off, 20 of them in the first hour and 47 in the first day. The times between them are not documented.
pub(crate) const RETRY_SECONDS: [i64; 60] = retries();

const fn retries() -> [i64; 60] {
    let mut all = [0; 60];
    let mut place = 0;
    while place < 60 {
        all[place] = match place {
            0..20 => 180,
            20..47 => 3_066,
            _ => 13_290,
        };
        place += 1;
    }
    all
}

/// The body of a delivery: the event in one line, with its notification. Recorded: only ASCII.
pub(crate) fn body(event: &Event, number: u64) -> Vec<u8> {
    let mut body = event.body.clone();
    body["notification_id"] = json!(ids::notification(number, event.created));
    let mut ascii = String::new();
    for letter in body.to_string().chars() {
        match letter.is_ascii() {
            true => ascii.push(letter),
            false => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii.into_bytes()
}

/// The headers of a delivery. The time and the body are signed, with a colon between them.
pub(crate) fn headers(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)> {
    let signature = match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(format!("{at}:").as_bytes());
            mac.update(body);
            hex::encode(mac.finalize().into_bytes())
        }
        Err(_) => String::new(),
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "Paddle".to_owned()),
        ("paddle-version", "1".to_owned()),
        ("paddle-signature", format!("ts={at};h1={signature}")),
    ];
    headers.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_end_within_three_days() {
        let until = |count: usize| RETRY_SECONDS[..count].iter().sum::<i64>();
        assert!(until(20) <= 3_600 && until(47) <= 86_400 && until(60) <= 3 * 86_400);
        assert!(until(21) > 3_600 && until(48) > 86_400);
    }

    #[test]
    fn bodies_are_ascii_and_name_their_notification() {
        let data = json!({ "name": "Żółć 🚀", "quote": "\"" });
        let event = Event {
            id: String::new(),
            event_type: String::new(),
            object: String::new(),
            created: 1_725_897_614_334_401,
            body: json!({ "data": data }),
        };
        let body = body(&event, 7);
        assert!(body.is_ascii());
        let read: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(read["data"], data);
        assert!(read["notification_id"].as_str().is_some_and(|id| id.starts_with("ntf_01j7br78zy")), "{read}");
    }
}
