//! The subscription of a checkout session. Since `2025-03-31.basil` it is created after its payment: a failed attempt
//! leaves neither an incomplete subscription nor an invoice.

use purchase_emulator::Shared;

use super::collect::Draft;
use crate::{
    agenda::Job,
    calendar::period_end,
    ids,
    settings::DAY,
    show::Kind,
    state::{
        BillingReason, Bills, Cancellation, IntentStatus, Recurring, Session, Span, Subscription, SubscriptionItem,
        SubscriptionStatus, Trial,
    },
    stripe::Stripe,
};

impl Stripe {
    /// Creates the subscription of a session that is complete, with its first invoice.
    pub(crate) fn subscribe(&mut self, shared: &mut Shared, session: &str, method: &str) {
        let it = self.sessions.at(session).clone();
        let (Some(customer), Some(every)) = (it.customer.clone(), self.recurring(&it)) else { return };
        // Recorded: the payment method is attached a second before the customer has a currency.
        self.methods.change(method).customer = Some(customer.clone());
        self.tell(shared, "payment_method.attached", Kind::Method, method);
        self.fix_currency(shared, &customer, &it.currency);

        let id = self.new_subscription(shared, &it, &customer, method, every);
        let invoice = self.first_invoice(shared, &it, &id);
        let it = self.sessions.change(session);
        (it.subscription, it.invoice) = (Some(id.clone()), Some(invoice.clone()));
        let intent = it.intent.clone();
        self.subscriptions.change(&id).latest_invoice = Some(invoice.clone());
        self.tell_first(shared, &id, &invoice, intent.as_deref());
    }

    fn recurring(&self, session: &Session) -> Option<Recurring> {
        session.lines.iter().find_map(|line| self.prices.at(&line.price).recurring)
    }

    /// The first invoice fixes a customer's currency. Recorded: `customer.updated` with the old currency, null.
    fn fix_currency(&mut self, shared: &mut Shared, customer: &str, currency: &str) {
        if self.customers.at(customer).currency.is_none() {
            self.changing(shared, "customer.updated", (Kind::Customer, customer), |it, _| {
                it.customers.change(customer).currency = Some(currency.to_owned());
            });
        }
    }

    fn new_subscription(
        &mut self,
        shared: &mut Shared,
        session: &Session,
        customer: &str,
        method: &str,
        every: Recurring,
    ) -> String {
        let id = ids::long(&mut shared.draw, "sub", &self.account);
        let now = shared.second();
        let trial = session.led.trial.map(|trial| match trial {
            Trial::Days(days) => Span { start: now, end: now + days * DAY },
            Trial::Until(end) => Span { start: now, end },
        });
        let recurring = session.lines.iter().filter(|line| self.prices.at(&line.price).recurring.is_some());
        let items = recurring.map(|line| SubscriptionItem {
            id: ids::short(&mut shared.draw, "si"),
            created: now,
            price: line.price.clone(),
            quantity: line.quantity,
        });
        let items = items.collect();
        let anchor = trial.map_or(now, |trial| trial.end);
        let period = trial.unwrap_or_else(|| Span { start: now, end: period_end(now, now, every) });
        let subscription = Subscription {
            id: id.clone(),
            created: now,
            customer: customer.to_owned(),
            currency: session.currency.clone(),
            status: if trial.is_some() { SubscriptionStatus::Trialing } else { SubscriptionStatus::Active },
            items,
            period,
            anchor,
            recurring: every,
            trial,
            cancel_at_period_end: false,
            cancel_at: None,
            canceled_at: None,
            ended_at: None,
            cancellation: Cancellation::default(),
            pause_collection: None,
            latest_invoice: None,
            method: Some(method.to_owned()),
            description: session.led.description.clone(),
            metadata: session.led.metadata.clone(),
        };
        self.subscriptions.add(&id, subscription);
        self.agenda.plan(period.end, Job::Period { subscription: id.clone(), end: period.end });
        if let Some(trial) = trial {
            // Documented: three days before the end, or at once when the trial is shorter.
            let at = now.max(trial.end - 3 * DAY);
            self.agenda.plan(at, Job::TrialWillEnd { subscription: id.clone(), end: trial.end });
        }
        id
    }

    fn first_invoice(&mut self, shared: &mut Shared, session: &Session, id: &str) -> String {
        let now = shared.second();
        let mut lines = self.lines_of(id);
        for line in &session.lines {
            let price = self.prices.at(&line.price);
            if price.recurring.is_none() {
                let item = ids::long(&mut shared.draw, "ii", &self.account);
                let amount = price.unit_amount * line.quantity;
                let period = Span { start: now, end: now };
                lines.push((Bills::Once { item }, line.price.clone(), line.quantity, amount, period));
            }
        }
        let period = Span { start: now, end: now };
        self.new_invoice(shared, Draft { subscription: id.to_owned(), reason: BillingReason::Create, lines, period })
    }

    /// Sends the first events of a subscription and its invoice.
    fn tell_first(&mut self, shared: &mut Shared, id: &str, invoice: &str, intent: Option<&str>) {
        let paid = intent.is_none_or(|intent| self.intents.at(intent).status == IntentStatus::Succeeded);
        if self.settings.first_invoice_by_steps {
            self.tell(shared, "invoice.created", Kind::Invoice, invoice);
            self.finalize(shared, invoice, intent);
            if paid && intent.is_some() {
                self.mark_paid(shared, invoice, None);
            }
            self.tell(shared, "customer.subscription.created", Kind::Subscription, id);
            return;
        }
        self.open_silently(shared, invoice, intent);
        if paid {
            self.pay_silently(shared, invoice);
        }
        self.tell(shared, "invoice.created", Kind::Invoice, invoice);
        self.tell(shared, "invoice.finalized", Kind::Invoice, invoice);
        self.tell(shared, "customer.subscription.created", Kind::Subscription, id);
        if paid {
            self.tell_paid(shared, invoice);
        }
    }
}
