//! Decides which stories are generated. A story is built from a list of wishes. Each wish becomes a scene if it is
//! legal at its turn, and is skipped otherwise. A list without one of its wishes is therefore still a story, so a
//! failing story can shrink.

use proptest::prelude::*;

use crate::story::{
    DAY_SECONDS, EMAILS, Items, Movement, START_SECONDS, Scene, Span, Standing, Step, Story, Subscription,
    TRIAL_SECONDS, UNIT_AMOUNTS, World,
};

/// A possible next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The kind of step.
    kind: Kind,
    /// Selects the object that the step applies to.
    which: u8,
    /// Selects the details of the step.
    how: u8,
    /// Seconds after the previous scene.
    gap: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Buy,
    Change,
    Dispute,
    DisputeEnds,
    End,
    FailRefund,
    GiveUp,
    NameOwner,
    Noise,
    Pause,
    Period,
    Refund,
    Rename,
    Resume,
    Retry,
    ScheduleEnd,
    SchedulePause,
    SettleRefund,
    SignUp,
    Unschedule,
}

/// The maximum number of subscriptions in a story.
const SUBSCRIPTIONS: usize = 2;
/// The maximum number of purchases in a story.
const PURCHASES: usize = 2;

/// Generates the seed, dialect and wishes of a story.
pub fn wishes(max: usize) -> impl Strategy<Value = (u64, u8, Vec<Wish>)> {
    // Steps that depend on an earlier one are generated often, because they are seldom legal.
    let kind = prop_oneof![
        3 => Just(Kind::SignUp), 3 => Just(Kind::Buy), 4 => Just(Kind::Change), 7 => Just(Kind::Period),
        9 => Just(Kind::Retry), 5 => Just(Kind::GiveUp), 3 => Just(Kind::ScheduleEnd), 8 => Just(Kind::Unschedule),
        1 => Just(Kind::End), 2 => Just(Kind::Pause), 3 => Just(Kind::SchedulePause), 8 => Just(Kind::Resume),
        4 => Just(Kind::Refund), 8 => Just(Kind::SettleRefund), 4 => Just(Kind::FailRefund),
        2 => Just(Kind::Dispute), 6 => Just(Kind::DisputeEnds), 1 => Just(Kind::NameOwner), 2 => Just(Kind::Rename),
        1 => Just(Kind::Noise),
    ];
    let gap = prop_oneof![
        5 => Just(0), 1 => Just(1), 1 => Just(3600), 1 => Just(2 * DAY_SECONDS), 1 => Just(9 * DAY_SECONDS),
    ];
    let wish = (kind, any::<u8>(), any::<u8>(), gap).prop_map(|(kind, which, how, gap)| Wish { kind, which, how, gap });
    // Every story begins with a purchase, because nothing else is legal before one.
    let first = (prop_oneof![5 => Just(Kind::SignUp), 1 => Just(Kind::Buy)], any::<u8>())
        .prop_map(|(kind, how)| Wish { kind, which: 0, how, gap: 0 });
    let rest = proptest::collection::vec(wish, 0..max);
    (any::<u64>(), 0..12_u8, first, rest).prop_map(|(seed, dialect, first, mut wishes)| {
        wishes.insert(0, first);
        (seed, dialect, wishes)
    })
}

impl Story {
    /// Builds the story, using every wish that is legal and that `can` accepts.
    pub fn of(seed: u64, dialect: u8, wishes: &[Wish], can: impl Fn(&Step) -> bool) -> Self {
        let mut world = World { now: START_SECONDS, ..World::default() };
        let mut scenes = Vec::new();
        for wish in wishes {
            let Some(scene) = world.grant(wish).filter(|scene| can(&scene.step)) else { continue };
            world.take(&scene);
            scenes.push(scene);
        }
        Self { seed, dialect, scenes }
    }
}

impl World {
    /// The scene of a wish in this world, if it is legal.
    fn grant(&self, wish: &Wish) -> Option<Scene> {
        if wish.kind == Kind::Period {
            return self.period(wish);
        }
        // Time never passes the next step that must happen.
        let latest = self.due().map_or(i64::MAX, |(due, _)| due.max(self.now));
        let at = (self.now + wish.gap).min(latest);
        let step = self.purchase(wish, at).or_else(|| self.money(wish)).or_else(|| self.steering(wish, at))?;
        Some(Scene { at, step })
    }

    fn purchase(&self, wish: &Wish, at: i64) -> Option<Step> {
        let how = wish.how;
        let names_owner = how & 1 == 1;
        let payment = self.payments.len();
        let declined = [0, 0, 0, 1, 2, 0, 0, 1][usize::from(how >> 5)];
        match wish.kind {
            Kind::SignUp if self.subscriptions.len() < SUBSCRIPTIONS => {
                let trial = how & 6 == 6;
                Some(Step::SignUp {
                    subscription: self.subscriptions.len(),
                    payment: (!trial).then_some(payment),
                    items: items(wish.which),
                    period: if trial { Span { start: at, end: at + TRIAL_SECONDS } } else { Span::period(at) },
                    declined: if trial { 0 } else { declined },
                    names_owner,
                })
            }
            Kind::Buy if self.payments.iter().filter(|it| it.bought.is_some()).count() < PURCHASES => {
                let guest = how & 6 == 6;
                let price = usize::from(wish.which) % UNIT_AMOUNTS.len();
                Some(Step::Buy { payment, price, declined, guest, names_owner: names_owner || guest })
            }
            Kind::NameOwner if self.met => Some(Step::NameOwner),
            Kind::Rename if self.met => {
                let email = usize::from(how) % EMAILS.len();
                (email != self.email).then_some(Step::Rename { email })
            }
            Kind::Noise => Some(Step::Noise),
            _ => None,
        }
    }

    fn money(&self, wish: &Wish) -> Option<Step> {
        let payments = || (0..self.payments.len()).filter(|it| self.payments[*it].paid);
        let refunds = |of: Movement| (0..self.refunds.len()).filter(move |it| self.refunds[*it].movement == of);
        match wish.kind {
            Kind::Refund => {
                let undisputed = |it: &usize| self.dispute_of(*it).is_none_or(|dispute| dispute.won == Some(true));
                let payment = nth(payments().filter(undisputed).filter(|it| self.refundable(*it) > 0), wish.which)?;
                let max = self.refundable(payment);
                let amount = if wish.how & 1 == 0 { max } else { (max / 3).max(1) };
                Some(Step::Refund { refund: self.refunds.len(), payment, amount, settled: wish.how & 2 == 0 })
            }
            Kind::SettleRefund => {
                let refund = nth(refunds(Movement::Pending), wish.which)?;
                Some(Step::SettleRefund { refund, succeeds: wish.how & 3 != 3 })
            }
            Kind::FailRefund => Some(Step::FailRefund { refund: nth(refunds(Movement::Succeeded), wish.which)? }),
            Kind::Dispute => {
                let whole = |it: &usize| self.dispute_of(*it).is_none() && self.refundable(*it) > 0;
                let payment = nth(payments().filter(whole), wish.which)?;
                Some(Step::Dispute { dispute: self.disputes.len(), payment })
            }
            Kind::DisputeEnds => {
                let open = (0..self.disputes.len()).filter(|it| self.disputes[*it].won.is_none());
                Some(Step::DisputeEnds { dispute: nth(open, wish.which)?, won: wish.how & 1 == 0 })
            }
            _ => None,
        }
    }

    fn steering(&self, wish: &Wish, at: i64) -> Option<Step> {
        let payment = self.payments.len();
        let one = |may: &dyn Fn(&Subscription) -> bool| {
            nth((0..self.subscriptions.len()).filter(|it| may(&self.subscriptions[*it])), wish.which)
        };
        let free = |it: &Subscription| it.runs() && !it.is_scheduled();
        let active = |it: &Subscription| it.standing == Standing::Active && !it.is_scheduled();
        let owes = |it: &Subscription| it.owed.is_some() && it.standing != Standing::Canceled;
        Some(match wish.kind {
            Kind::Change => {
                let subscription = one(&free)?;
                let items = items(wish.how);
                if items == self.subscriptions[subscription].items {
                    return None;
                }
                Step::Change { subscription, items }
            }
            Kind::ScheduleEnd => Step::ScheduleEnd { subscription: one(&free)? },
            Kind::SchedulePause => Step::SchedulePause { subscription: one(&active)? },
            Kind::Unschedule => Step::Unschedule { subscription: one(&Subscription::is_scheduled)? },
            Kind::Pause => Step::Pause { subscription: one(&active)? },
            Kind::End => Step::End { subscription: one(&|it| it.standing != Standing::Canceled)? },
            Kind::Resume => {
                let subscription = one(&|it| it.standing == Standing::Paused && it.owed.is_none())?;
                Step::Resume { subscription, payment, period: Span::period(at) }
            }
            Kind::Retry => {
                let subscription = one(&|it| owes(it) && it.standing != Standing::Paused)?;
                Step::Retry { subscription, paid: wish.how & 1 == 0 }
            }
            Kind::GiveUp => {
                let subscription = one(&|it| it.standing == Standing::PastDue)?;
                let becomes = [Standing::Canceled, Standing::Unpaid, Standing::Paused][usize::from(wish.how) % 3];
                Step::GiveUp { subscription, becomes }
            }
            _ => return None,
        })
    }

    /// The next step that must happen.
    fn period(&self, wish: &Wish) -> Option<Scene> {
        let (due, subscription) = self.due()?;
        let it = &self.subscriptions[subscription];
        let at = due.max(self.now);
        let step = match it.is_scheduled() {
            true => Step::PeriodEnds { subscription },
            false if it.runs() => Step::Renew {
                subscription,
                payment: self.payments.len(),
                period: Span::period(due),
                lag: if wish.which & 1 == 0 { 3600 } else { 0 },
                paid: wish.how & 1 == 0,
            },
            false => return None,
        };
        Some(Scene { at, step })
    }
}

/// One or two prices.
fn items(draw: u8) -> Items {
    let first = usize::from(draw & 3);
    let mut items = Items::from([(first, u64::from(draw >> 2 & 3) + 1)]);
    if draw & 0xc0 == 0xc0 {
        items.insert((first + 1) % UNIT_AMOUNTS.len(), u64::from(draw >> 4 & 3) + 1);
    }
    items
}

fn nth(mut all: impl Iterator<Item = usize> + Clone, which: u8) -> Option<usize> {
    let count = all.clone().count();
    (count > 0).then(|| all.nth(usize::from(which) % count)).flatten()
}
