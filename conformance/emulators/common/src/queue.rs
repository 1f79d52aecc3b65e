//! When each delivery is due, and when it is tried again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{chaos::Chaos, draw::Draw};

/// One delivery that is still to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The delivery's number. It stays the same when the delivery is tried again.
    pub number: u64,
    /// The event's place among all events.
    pub event: usize,
    /// When it is due, in microseconds since 1970.
    pub due: i64,
    /// How many attempts were made before.
    pub attempts: u32,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The receiver accepted it.
    Accepted,
    /// The last retry failed.
    GaveUp,
    /// It was dropped on purpose.
    Dropped,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When the receiver answered, in microseconds since 1970.
    pub at: i64,
    /// The status of its answer; none when it could not be reached.
    pub status: Option<u16>,
}

/// Where a delivery comes from, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The event's place among all events.
    pub event: usize,
    /// Whether it was asked for, after the event's own delivery.
    pub replay: bool,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// The deliveries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    next: u64,
    #[serde(default)]
    records: BTreeMap<u64, Record>,
    waiting: Vec<Pending>,
    /// Taken, and not yet answered, by number.
    sending: BTreeMap<u64, Pending>,
    done: BTreeMap<u64, Outcome>,
}

impl Queue {
    /// Adds the deliveries of a new event.
    pub fn add(&mut self, event: usize, created: i64, chaos: &Chaos, draw: &mut Draw) {
        if draw.percent(chaos.drop_percent) {
            let number = self.number(event, false);
            self.done.insert(number, Outcome::Dropped);
            return;
        }
        self.wait(event, created + delay(chaos, draw), false);
        if draw.percent(chaos.duplicate_percent) {
            self.wait(event, created + delay(chaos, draw), false);
        }
    }

    /// Adds one more delivery of an event, and returns its number.
    pub fn again(&mut self, event: usize, due: i64) -> u64 {
        self.wait(event, due, true)
    }

    fn wait(&mut self, event: usize, due: i64, replay: bool) -> u64 {
        let number = self.number(event, replay);
        self.waiting.push(Pending { number, event, due, attempts: 0 });
        number
    }

    fn number(&mut self, event: usize, replay: bool) -> u64 {
        let number = self.next;
        self.next += 1;
        self.records.insert(number, Record { event, replay, attempts: Vec::new() });
        number
    }

    /// Puts back what was being sent when the world was stored: nobody knows whether it arrived.
    pub fn resume(&mut self) {
        self.waiting.extend(std::mem::take(&mut self.sending).into_values());
    }

    /// Takes the deliveries that are due, by their time, and those with one time in the order in which they were added.
    pub fn take(&mut self, now: i64) -> Vec<Pending> {
        let (mut due, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition::<Vec<_>, _>(|it| it.due <= now);
        self.waiting = waiting;
        due.sort_by_key(|it| (it.due, it.number));
        self.sending.extend(due.iter().map(|it| (it.number, it.clone())));
        due
    }

    /// Records what the receiver answered. A failed delivery is tried again after the next of `retries`, in seconds.
    /// Returns the event's place when the delivery was being sent.
    pub fn answered(&mut self, number: u64, accepted: bool, now: i64, retries: &[i64]) -> Option<usize> {
        let mut pending = self.sending.remove(&number)?;
        let event = pending.event;
        let retry = usize::try_from(pending.attempts).ok().and_then(|place| retries.get(place));
        match (accepted, retry) {
            (true, _) => {
                self.done.insert(number, Outcome::Accepted);
            }
            (false, None) => {
                self.done.insert(number, Outcome::GaveUp);
            }
            (false, Some(seconds)) => {
                pending.attempts += 1;
                pending.due = now + seconds * 1_000_000;
                self.waiting.push(pending);
            }
        }
        Some(event)
    }

    /// Records an attempt of a delivery that is being sent.
    pub fn attempted(&mut self, number: u64, attempt: Attempt) {
        if let Some(record) = self.records.get_mut(&number).filter(|_| self.sending.contains_key(&number)) {
            record.attempts.push(attempt);
        }
    }

    /// All deliveries, by number.
    pub fn records(&self) -> &BTreeMap<u64, Record> {
        &self.records
    }

    /// When the next delivery is due, in microseconds since 1970.
    pub fn next_due(&self) -> Option<i64> {
        self.waiting.iter().map(|it| it.due).min()
    }

    /// The deliveries that wait, in no order.
    pub fn waiting(&self) -> &[Pending] {
        &self.waiting
    }

    /// How many deliveries were taken and are not answered yet.
    pub fn sending(&self) -> usize {
        self.sending.len()
    }

    /// What became of the deliveries that are finished, by number.
    pub fn done(&self) -> &BTreeMap<u64, Outcome> {
        &self.done
    }
}

/// A drawn delay, in microseconds.
fn delay(chaos: &Chaos, draw: &mut Draw) -> i64 {
    if chaos.delay_seconds == 0 {
        return 0;
    }
    i64::try_from(draw.below(u64::from(chaos.delay_seconds) * 1_000_000)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_deliveries_come_again_until_the_retries_end() {
        let mut queue = Queue::default();
        queue.add(0, 10, &Chaos::default(), &mut Draw::new(1));
        assert!(queue.take(9).is_empty());
        assert_eq!(queue.take(10).len(), 1);
        assert_eq!(queue.answered(0, false, 10, &[60]), Some(0));
        assert_eq!(queue.next_due(), Some(60_000_010));
        assert!(queue.take(60_000_009).is_empty());
        assert_eq!(queue.take(60_000_010)[0].attempts, 1);
        assert_eq!(queue.answered(0, false, 60_000_010, &[60]), Some(0));
        assert_eq!(queue.done()[&0], Outcome::GaveUp);
        assert_eq!(queue.answered(0, true, 60_000_010, &[60]), None, "it is answered once");
    }

    #[test]
    fn attempts_are_recorded_while_a_delivery_is_on_its_way() {
        let mut queue = Queue::default();
        let attempt = Attempt { at: 20, status: Some(500) };
        queue.add(0, 10, &Chaos::default(), &mut Draw::new(1));
        queue.attempted(0, attempt.clone());
        assert_eq!(queue.records()[&0], Record { event: 0, replay: false, attempts: Vec::new() });
        queue.take(10);
        queue.attempted(0, attempt.clone());
        queue.answered(0, true, 20, &[]);
        queue.attempted(0, attempt.clone());
        assert_eq!(queue.records()[&0].attempts, [attempt]);
        assert!(queue.again(0, 30) == 1 && queue.records()[&1].replay);
    }

    #[test]
    fn dropped_deliveries_are_recorded() {
        let mut queue = Queue::default();
        let chaos = Chaos { drop_percent: 100, ..Chaos::default() };
        queue.add(0, 10, &chaos, &mut Draw::new(1));
        assert!(queue.take(i64::MAX).is_empty());
        assert_eq!(queue.done()[&0], Outcome::Dropped);
    }
}
