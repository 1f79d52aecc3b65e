//! Decides what is true after each step of a story. It follows only from the meaning of the steps. It knows no
//! provider, no event, and no part of the code under test.

use crate::story::{Items, START_SECONDS, Scene, Span, Step, cost};

/// The true state at an instant of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The clock, in seconds since 1970.
    pub now: i64,
    /// Subscriptions by number.
    pub subscriptions: Vec<Subscription>,
    /// Payments by number.
    pub payments: Vec<Payment>,
    /// Refunds by number.
    pub refunds: Vec<Refund>,
    /// Disputes by number.
    pub disputes: Vec<Dispute>,
    /// Whether the provider has a record of the customer.
    pub met: bool,
    /// Whether the application named the owner of the customer.
    pub owned: bool,
    /// The customer's e-mail address, as an index.
    pub email: usize,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The status.
    pub standing: Standing,
    /// The items that it bills.
    pub items: Items,
    /// The period that is paid or to be paid.
    pub period: Span,
    /// When the trial ends or ended.
    pub trial_end: Option<i64>,
    /// When it is scheduled to end.
    pub cancel_at: Option<i64>,
    /// When it is scheduled to be paused.
    pub pause_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The unpaid payment.
    pub owed: Option<usize>,
    /// Since when a payment is overdue, while one is.
    pub behind_since: Option<i64>,
}

/// The status of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Paid for.
    Active,
    /// Over.
    Canceled,
    /// Not paid. The provider still tries to collect.
    PastDue,
    /// Paused.
    Paused,
    /// In its trial.
    Trialing,
    /// Not paid. The provider stopped trying.
    Unpaid,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The amount asked for.
    pub amount: i64,
    /// Whether the payment succeeded. Otherwise the last attempt failed.
    pub paid: bool,
    /// The number of attempts.
    pub attempts: u32,
    /// The subscription that it pays; none for a one-time purchase.
    pub subscription: Option<usize>,
    /// The price that was bought once.
    pub bought: Option<usize>,
    /// Whether the provider has no customer for the buyer.
    pub guest: bool,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The payment.
    pub payment: usize,
    /// The amount.
    pub amount: i64,
    /// The state of the movement.
    pub movement: Movement,
}

/// The state of a movement of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// The money moved and came back.
    Failed,
    /// The money is still to move.
    Pending,
    /// The money did not move and never will.
    Rejected,
    /// The money moved.
    Succeeded,
}

/// A dispute over the whole payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The payment.
    pub payment: usize,
    /// Whether the seller won; none while the dispute is open.
    pub won: Option<bool>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: START_SECONDS,
            subscriptions: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            met: false,
            owned: false,
            email: 0,
        }
    }
}

impl World {
    /// The true state after these scenes.
    pub fn after<'a>(scenes: impl IntoIterator<Item = &'a Scene>) -> Self {
        let mut world = Self::default();
        for scene in scenes {
            world.take(scene);
        }
        world
    }

    /// Applies one scene.
    pub fn take(&mut self, scene: &Scene) {
        self.now = scene.at;
        match &scene.step {
            Step::Noise => {}
            Step::NameOwner => self.owned = true,
            Step::Rename { email } => self.email = *email,
            Step::Buy { price, declined, guest, names_owner, .. } => {
                self.met |= !guest;
                self.owned |= !guest && *names_owner;
                let cost = cost(&Items::from([(*price, 1)]));
                let bought = Some(*price);
                self.payments.push(Payment { bought, guest: *guest, ..paid(cost, u32::from(*declined) + 1, None) });
            }
            Step::SignUp { subscription, payment, items, period, declined, names_owner } => {
                self.met = true;
                self.owned |= *names_owner;
                let attempts = u32::from(*declined) + 1;
                self.payments.extend(payment.map(|_| paid(cost(items), attempts, Some(*subscription))));
                let trial = payment.is_none();
                self.subscriptions.push(Subscription {
                    standing: if trial { Standing::Trialing } else { Standing::Active },
                    items: items.clone(),
                    period: *period,
                    trial_end: trial.then_some(period.end),
                    cancel_at: None,
                    pause_at: None,
                    ended_at: None,
                    owed: None,
                    behind_since: None,
                });
            }
            Step::Refund { payment, amount, settled, .. } => {
                let movement = if *settled { Movement::Succeeded } else { Movement::Pending };
                self.refunds.push(Refund { payment: *payment, amount: *amount, movement });
            }
            Step::SettleRefund { refund, succeeds } => {
                self.refunds[*refund].movement = if *succeeds { Movement::Succeeded } else { Movement::Rejected };
            }
            Step::FailRefund { refund } => self.refunds[*refund].movement = Movement::Failed,
            Step::Dispute { payment, .. } => self.disputes.push(Dispute { payment: *payment, won: None }),
            Step::DisputeEnds { dispute, won } => self.disputes[*dispute].won = Some(*won),
            Step::Renew { subscription, .. } | Step::Resume { subscription, .. } | Step::Retry { subscription, .. } => {
                self.collect(*subscription, &scene.step);
            }
            Step::Change { subscription, .. }
            | Step::End { subscription }
            | Step::GiveUp { subscription, .. }
            | Step::Pause { subscription }
            | Step::PeriodEnds { subscription }
            | Step::ScheduleEnd { subscription }
            | Step::SchedulePause { subscription }
            | Step::Unschedule { subscription } => self.subscriptions[*subscription].steer(&scene.step, scene.at),
        }
    }

    /// Applies an attempt to collect a subscription's payment.
    fn collect(&mut self, number: usize, step: &Step) {
        let it = &mut self.subscriptions[number];
        match step {
            Step::Renew { payment, period, lag, paid: came, .. } => {
                self.now += lag;
                it.period = *period;
                it.standing = if *came { Standing::Active } else { Standing::PastDue };
                it.owed = (!came).then_some(*payment);
                it.behind_since = (!came).then_some(self.now);
                self.payments.push(Payment { paid: *came, ..paid(cost(&it.items), 1, Some(number)) });
            }
            Step::Resume { period, .. } => {
                it.period = *period;
                it.standing = Standing::Active;
                self.payments.push(paid(cost(&it.items), 1, Some(number)));
            }
            Step::Retry { paid: came, .. } => {
                let Some(owed) = it.owed else { return };
                self.payments[owed].attempts += 1;
                self.payments[owed].paid = *came;
                if *came {
                    it.standing = Standing::Active;
                    (it.owed, it.behind_since) = (None, None);
                }
            }
            _ => {}
        }
    }

    /// The next time at which something must happen to a subscription, and which subscription. Time can't pass it.
    pub fn due(&self) -> Option<(i64, usize)> {
        let due = |it: &Subscription| match it.standing {
            Standing::Active | Standing::PastDue | Standing::Trialing | Standing::Unpaid => Some(it.period.end),
            Standing::Canceled | Standing::Paused => None,
        };
        let dues = self.subscriptions.iter().enumerate().filter_map(|(number, it)| Some((due(it)?, number)));
        dues.min()
    }

    /// The refunded amount of a payment.
    pub fn refunded(&self, payment: usize) -> i64 {
        self.refunds_of(payment).filter(|it| it.movement == Movement::Succeeded).map(|it| it.amount).sum()
    }

    /// The amount of a payment that can still be refunded.
    pub fn refundable(&self, payment: usize) -> i64 {
        let taken = |it: &&Refund| matches!(it.movement, Movement::Pending | Movement::Succeeded);
        self.payments[payment].amount - self.refunds_of(payment).filter(taken).map(|it| it.amount).sum::<i64>()
    }

    /// The dispute of a payment. There is at most one.
    pub fn dispute_of(&self, payment: usize) -> Option<&Dispute> {
        self.disputes.iter().find(|it| it.payment == payment)
    }

    fn refunds_of(&self, payment: usize) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(move |it| it.payment == payment)
    }
}

impl Subscription {
    /// Whether the subscription is running.
    pub fn runs(&self) -> bool {
        matches!(self.standing, Standing::Active | Standing::Trialing)
    }

    /// Whether an end or a pause is scheduled.
    pub fn is_scheduled(&self) -> bool {
        self.cancel_at.is_some() || self.pause_at.is_some()
    }

    fn steer(&mut self, step: &Step, at: i64) {
        match step {
            Step::Change { items, .. } => self.items.clone_from(items),
            Step::ScheduleEnd { .. } => self.cancel_at = Some(self.period.end),
            Step::SchedulePause { .. } => self.pause_at = Some(self.period.end),
            Step::Unschedule { .. } => (self.cancel_at, self.pause_at) = (None, None),
            Step::End { .. } => self.stop(Standing::Canceled, at),
            Step::Pause { .. } => self.stop(Standing::Paused, at),
            Step::GiveUp { becomes, .. } => self.stop(*becomes, at),
            Step::PeriodEnds { .. } => {
                self.stop(if self.pause_at.is_some() { Standing::Paused } else { Standing::Canceled }, at);
            }
            _ => {}
        }
    }

    fn stop(&mut self, standing: Standing, at: i64) {
        self.standing = standing;
        (self.cancel_at, self.pause_at) = (None, None);
        self.ended_at = (standing == Standing::Canceled).then_some(at);
    }
}

fn paid(amount: i64, attempts: u32, subscription: Option<usize>) -> Payment {
    Payment { amount, paid: true, attempts, subscription, bought: None, guest: false }
}
