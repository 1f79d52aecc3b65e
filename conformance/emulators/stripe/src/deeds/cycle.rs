//! A subscription over time: the next period, the end, pauses, changed items.

use purchase_emulator::Shared;

use super::collect::{Attempt, Draft};
use crate::{
    agenda::Job,
    calendar::period_end,
    show::Kind,
    state::{BillingReason, InvoiceStatus, PauseCollection, Span, SubscriptionItem, SubscriptionStatus, WhilePaused},
    stripe::Stripe,
};

impl Stripe {
    /// A subscription gets another status.
    pub(crate) fn becomes(&mut self, shared: &mut Shared, id: &str, status: SubscriptionStatus) {
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            it.subscriptions.change(id).status = status;
        });
    }

    /// A period ends: the subscription ends with it, or the next one begins and is billed.
    pub(crate) fn end_period(&mut self, shared: &mut Shared, id: &str) {
        let it = self.subscriptions.at(id);
        if matches!(it.status, SubscriptionStatus::Canceled | SubscriptionStatus::Paused) {
            return;
        }
        if it.cancel_at_period_end {
            self.end_subscription(shared, id, None);
            return;
        }
        let old = it.period;
        let period = Span { start: old.end, end: period_end(it.anchor, old.end, it.recurring) };
        // Recorded: the event of a renewal has the new period, and `latest_invoice` is not among its changes.
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            let it = it.subscriptions.change(id);
            it.period = period;
            if it.status == SubscriptionStatus::Trialing {
                it.status = SubscriptionStatus::Active;
            }
        });
        self.agenda.plan(period.end, Job::Period { subscription: id.to_owned(), end: period.end });
        let lines = self.lines_of(id);
        let draft = Draft { subscription: id.to_owned(), reason: BillingReason::Cycle, lines, period: old };
        let invoice = self.new_invoice(shared, draft);
        self.subscriptions.change(id).latest_invoice = Some(invoice.clone());
        self.draft(shared, id, &invoice);
    }

    /// Decides what becomes of the draft of a renewal.
    fn draft(&mut self, shared: &mut Shared, id: &str, invoice: &str) {
        let it = self.subscriptions.at(id);
        let paused = it.pause_collection.map(|pause| pause.behavior);
        // Documented: drafts of an unpaid subscription are left alone.
        let advances = it.status != SubscriptionStatus::Unpaid && paused != Some(WhilePaused::KeepAsDraft);
        let at = shared.second() + self.settings.finalize_after_seconds;
        let it = self.invoices.change(invoice);
        it.auto_advance = advances;
        it.finalizes_at = (advances && paused.is_none()).then_some(at);
        self.tell(shared, "invoice.created", Kind::Invoice, invoice);
        match paused {
            Some(WhilePaused::MarkUncollectible) => self.close(shared, invoice, InvoiceStatus::Uncollectible),
            Some(WhilePaused::Void) => self.close(shared, invoice, InvoiceStatus::Void),
            _ if advances => self.agenda.plan(at, Job::Finalize { invoice: invoice.to_owned() }),
            _ => {}
        }
    }

    /// Finalizes a draft and closes it unpaid. Nobody is asked to pay it.
    fn close(&mut self, shared: &mut Shared, id: &str, status: InvoiceStatus) {
        let now = shared.second();
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, shared| it.open_silently(shared, id, None));
        self.tell(shared, "invoice.finalized", Kind::Invoice, id);
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, _| {
            let it = it.invoices.change(id);
            it.status = status;
            it.auto_advance = false;
            match status {
                InvoiceStatus::Void => it.times.voided = Some(now),
                _ => it.times.uncollectible = Some(now),
            }
        });
        let named = if status == InvoiceStatus::Void { "invoice.voided" } else { "invoice.marked_uncollectible" };
        self.tell(shared, named, Kind::Invoice, id);
    }

    /// A subscription ends. The collection of its invoices stops.
    pub(crate) fn end_subscription(&mut self, shared: &mut Shared, id: &str, reason: Option<&str>) {
        let now = shared.second();
        let it = self.subscriptions.change(id);
        if it.is_over() {
            return;
        }
        it.status = SubscriptionStatus::Canceled;
        it.ended_at = Some(now);
        if let Some(reason) = reason {
            (it.cancel_at_period_end, it.cancel_at, it.canceled_at) = (false, None, Some(now));
            it.cancellation.reason = Some(reason.to_owned());
        }
        self.tell(shared, "customer.subscription.deleted", Kind::Subscription, id);
        let open = |it: &&crate::state::Invoice| it.subscription == id && it.auto_advance;
        let invoices: Vec<String> = self.invoices.all().filter(open).map(|it| it.id.clone()).collect();
        for invoice in invoices {
            self.stop_collecting(shared, &invoice);
        }
    }

    /// Schedules the end of a subscription, or takes that back.
    pub(crate) fn schedule_end(&mut self, now: i64, id: &str, ends: bool) {
        let it = self.subscriptions.change(id);
        if it.cancel_at_period_end == ends {
            return;
        }
        it.cancel_at_period_end = ends;
        it.cancel_at = ends.then_some(it.period.end);
        it.canceled_at = ends.then_some(now);
        it.cancellation.reason = ends.then(|| "cancellation_requested".to_owned());
        if !ends {
            (it.cancellation.comment, it.cancellation.feedback) = (None, None);
        }
    }

    /// Pauses a subscription. `customer.subscription.paused` has no previous attributes: recorded.
    pub(crate) fn pause(&mut self, shared: &mut Shared, id: &str) {
        self.becomes(shared, id, SubscriptionStatus::Paused);
        self.tell(shared, "customer.subscription.paused", Kind::Subscription, id);
    }

    /// Resumes a paused subscription with a new period, which is paid at once. Returns whether it was: otherwise
    /// nothing happens.
    pub(crate) fn resume(&mut self, shared: &mut Shared, id: &str) -> bool {
        let it = self.subscriptions.at(id);
        let Some(method) = it.method.as_ref().map(|method| self.methods.at(method)) else { return false };
        if method.declines.or(method.test.decline()).is_some() || method.test.is_debit() {
            return false;
        }
        let now = shared.second();
        let old = it.period;
        let period = Span { start: now, end: period_end(now, now, it.recurring) };
        self.subscriptions.change(id).period = period;
        let lines = self.lines_of(id);
        self.subscriptions.change(id).period = old;
        let draft = Draft { subscription: id.to_owned(), reason: BillingReason::Update, lines, period: old };
        let invoice = self.new_invoice(shared, draft);
        self.tell(shared, "invoice.created", Kind::Invoice, &invoice);
        // Documented: the invoice is finalized immediately, and the subscription is active once it is paid.
        self.finalize(shared, &invoice, None);
        if self.invoices.at(&invoice).status == InvoiceStatus::Open {
            self.collect(shared, &invoice, Attempt::Scheduled);
        }
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            let it = it.subscriptions.change(id);
            (it.status, it.period, it.anchor) = (SubscriptionStatus::Active, period, now);
            it.latest_invoice = Some(invoice);
        });
        self.tell(shared, "customer.subscription.resumed", Kind::Subscription, id);
        self.agenda.plan(period.end, Job::Period { subscription: id.to_owned(), end: period.end });
        true
    }

    /// Sets or clears the pause of collection.
    pub(crate) fn pause_collection(&mut self, id: &str, pause: Option<PauseCollection>) {
        self.subscriptions.change(id).pause_collection = pause;
        if let Some(at) = pause.and_then(|pause| pause.resumes_at) {
            self.agenda.plan(at, Job::ResumeCollection { subscription: id.to_owned(), at });
        }
    }

    /// The pause of collection ends by itself.
    pub(crate) fn resume_collection(&mut self, shared: &mut Shared, id: &str, at: i64) {
        let pause = self.subscriptions.at(id).pause_collection;
        if pause.and_then(|pause| pause.resumes_at) != Some(at) || self.subscriptions.at(id).is_over() {
            return;
        }
        self.changing(shared, "customer.subscription.updated", (Kind::Subscription, id), |it, _| {
            it.subscriptions.change(id).pause_collection = None;
        });
    }

    pub(crate) fn announce_trial_end(&mut self, shared: &mut Shared, id: &str, end: i64) {
        let it = self.subscriptions.at(id);
        if it.status == SubscriptionStatus::Trialing && it.period.end == end {
            self.tell(shared, "customer.subscription.trial_will_end", Kind::Subscription, id);
        }
    }

    /// Replaces the items. Nothing is billed for it.
    pub(crate) fn set_items(&mut self, id: &str, items: Vec<SubscriptionItem>) {
        self.subscriptions.change(id).items = items;
    }
}
