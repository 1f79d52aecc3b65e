//! What goes wrong on purpose, in deliveries and in answers.

use serde::{Deserialize, Serialize};

use crate::draw::Draw;

/// How deliveries and events misbehave. All fields are zero at first, so nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chaos {
    /// A delivery is delayed by up to this many seconds. Deliveries with different delays change their order.
    pub delay_seconds: u32,
    /// How many of a hundred deliveries are sent twice.
    pub duplicate_percent: u8,
    /// How many of a hundred deliveries are never sent, not even by a retry.
    pub drop_percent: u8,
    /// Events are created up to this many seconds late. Those of one object stay in the object's order.
    pub late_seconds: u32,
    /// All events that are created within so many seconds carry the time of the last of these seconds.
    pub burst_seconds: u32,
    /// How many of a hundred requests fail, each in a way that is drawn.
    pub fail_percent: u8,
}

impl Chaos {
    pub(crate) fn percents(&self) -> [u8; 3] {
        [self.drop_percent, self.duplicate_percent, self.fail_percent]
    }
}

/// A way in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The request is refused for its rate, with 429, and has no effect.
    RateLimited,
    /// The request takes effect, and the provider answers 500. An idempotency key keeps the 500.
    ServerError,
    /// The provider answers 503, and the request has no effect.
    Unavailable,
    /// No answer comes, and the request has no effect.
    TimeOut,
    /// The request takes effect, and its answer is lost.
    AnswerLost,
    /// The connection can't be opened.
    NotConnected,
}

impl Failure {
    const ALL: [Self; 6] =
        [Self::RateLimited, Self::ServerError, Self::Unavailable, Self::TimeOut, Self::AnswerLost, Self::NotConnected];

    /// Whether the request takes effect all the same.
    pub fn applies(self) -> bool {
        matches!(self, Self::ServerError | Self::AnswerLost)
    }

    /// The failure in words, as the log has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Unavailable => "unavailable",
            Self::TimeOut => "time_out",
            Self::AnswerLost => "answer_lost",
            Self::NotConnected => "not_connected",
        }
    }
}

/// Failures of the requests that come next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The failure.
    pub failure: Failure,
    /// Only requests with this method fail.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests whose path begins so fail.
    #[serde(default)]
    pub path: String,
    /// How many of these requests are answered before the first failure.
    #[serde(default)]
    pub after: u32,
    /// How many of these requests fail.
    #[serde(default = "one")]
    pub times: u32,
}

fn one() -> u32 {
    1
}

/// The failure of the next request, if it fails: a planned one, or one that chaos draws.
pub(crate) fn failure(
    chaos: &Chaos,
    planned: &mut Vec<Planned>,
    draw: &mut Draw,
    method: &str,
    path: &str,
) -> Option<Failure> {
    let of_it = |it: &Planned| it.method.as_deref().is_none_or(|name| name == method) && path.starts_with(&it.path);
    let mut found = None;
    for plan in planned.iter_mut().filter(|it| of_it(it)) {
        if plan.after > 0 {
            plan.after -= 1;
        } else if found.is_none() {
            plan.times = plan.times.saturating_sub(1);
            found = Some(plan.failure);
        }
    }
    planned.retain(|it| it.times > 0);
    let count = Failure::ALL.len() as u64;
    found.or_else(|| {
        let place = usize::try_from(draw_if(chaos.fail_percent, draw)?.below(count)).unwrap_or_default();
        Some(Failure::ALL[place])
    })
}

fn draw_if(percent: u8, draw: &mut Draw) -> Option<&mut Draw> {
    draw.percent(percent).then_some(draw)
}
