//! Invoices: drafted, finalized, paid or not, tried again, given up.

use purchase_emulator::Shared;

use super::pay::Ask;
use crate::{
    agenda::Job,
    cards::TestMethod,
    ids,
    settings::{AfterRetries, DAY},
    show::Kind,
    state::{
        BillingReason, Bills, Invoice, InvoiceLine, InvoicePayment, InvoiceStatus, InvoiceTimes, Metadata, Span,
        SubscriptionStatus,
    },
    stripe::Stripe,
};

/// Who tries to collect an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Somebody asks for it. After the first attempt this doesn't count.
    Manual,
    /// The schedule of retries.
    Scheduled,
}

/// What a line bills: the price, the quantity, the amount and the period.
pub(crate) type Line = (Bills, String, i64, i64, Span);

/// A new invoice.
pub(crate) struct Draft {
    pub(crate) subscription: String,
    pub(crate) reason: BillingReason,
    pub(crate) lines: Vec<Line>,
    pub(crate) period: Span,
}

impl Stripe {
    /// What a subscription's current period costs.
    pub(crate) fn lines_of(&self, subscription: &str) -> Vec<Line> {
        let it = self.subscriptions.at(subscription);
        let trial = it.status == SubscriptionStatus::Trialing;
        let lines = it.items.iter().map(|item| {
            let amount = self.prices.at(&item.price).unit_amount * item.quantity;
            let bills = Bills::Subscription { item: item.id.clone() };
            match trial {
                true => (Bills::Trial { item: item.id.clone() }, item.price.clone(), item.quantity, 0, it.period),
                false => (bills, item.price.clone(), item.quantity, amount, it.period),
            }
        });
        lines.collect()
    }

    /// Drafts an invoice. Its first event is the caller's.
    pub(crate) fn new_invoice(&mut self, shared: &mut Shared, draft: Draft) -> String {
        let id = ids::long(&mut shared.draw, "in", &self.account);
        let lines: Vec<InvoiceLine> = draft
            .lines
            .into_iter()
            .map(|(bills, price, quantity, amount, period)| {
                let id = ids::long(&mut shared.draw, "il", &self.account);
                InvoiceLine { id, bills, price, quantity, amount, period }
            })
            .collect();
        let subscription = self.subscriptions.at(&draft.subscription);
        let customer = self.customers.at(&subscription.customer);
        let invoice = Invoice {
            id: id.clone(),
            created: shared.second(),
            customer: customer.id.clone(),
            customer_email: customer.email.clone(),
            customer_name: customer.name.clone(),
            subscription: draft.subscription,
            subscription_metadata: subscription.metadata.clone(),
            reason: draft.reason,
            currency: subscription.currency.clone(),
            status: InvoiceStatus::Draft,
            number: None,
            total: lines.iter().map(|line| line.amount).sum(),
            lines,
            amount_paid: 0,
            attempts: 0,
            attempted: false,
            auto_advance: true,
            finalizes_at: None,
            next_attempt: None,
            times: InvoiceTimes::default(),
            period: draft.period,
            secret: ids::secret(&mut shared.draw),
            payment: None,
        };
        self.invoices.add(&id, invoice);
        id
    }

    /// Opens a draft, and requests its payment unless there is one already. An invoice over nothing is paid at once.
    pub(crate) fn finalize(&mut self, shared: &mut Shared, id: &str, intent: Option<&str>) {
        let it = self.invoices.at(id);
        if it.status != InvoiceStatus::Draft {
            return;
        }
        let intent = match intent {
            None if it.total > 0 => Some(self.request_payment(shared, id)),
            other => other.map(str::to_owned),
        };
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, shared| {
            it.open_silently(shared, id, intent.as_deref());
        });
        self.tell(shared, "invoice.finalized", Kind::Invoice, id);
        if self.invoices.at(id).total == 0 {
            self.mark_paid(shared, id, None);
        }
    }

    fn request_payment(&mut self, shared: &mut Shared, id: &str) -> String {
        let it = self.invoices.at(id);
        let method = self.subscriptions.at(&it.subscription).method.as_ref();
        let methods = method.map_or("card", |method| self.methods.at(method).test.kind());
        let ask = Ask {
            amount: it.total,
            currency: it.currency.clone(),
            customer: Some(it.customer.clone()),
            description: Some("Subscription update".to_owned()),
            metadata: Metadata::new(),
            methods: vec![methods.to_owned()],
            keeps_method: true,
            invoice: Some(id.to_owned()),
            session: None,
        };
        self.new_intent(shared, ask)
    }

    /// Opens a draft without an event.
    pub(crate) fn open_silently(&mut self, shared: &mut Shared, id: &str, intent: Option<&str>) {
        let now = shared.second();
        let (customer, subscription) = {
            let it = self.invoices.at(id);
            (it.customer.clone(), it.subscription.clone())
        };
        let customer = self.customers.change(&customer);
        let number = format!("{}-{:04}", customer.invoice_prefix, customer.next_invoice);
        customer.next_invoice += 1;
        let metadata = self.subscriptions.at(&subscription).metadata.clone();
        let payment = intent.map(|intent| self.new_invoice_payment(shared, id, intent));
        let it = self.invoices.change(id);
        it.status = InvoiceStatus::Open;
        it.number = Some(number);
        it.subscription_metadata = metadata;
        it.times.finalized = Some(now);
        it.finalizes_at = None;
        it.payment = payment;
    }

    fn new_invoice_payment(&mut self, shared: &mut Shared, invoice: &str, intent: &str) -> String {
        self.intents.change(intent).invoice = Some(invoice.to_owned());
        let id = ids::long(&mut shared.draw, "inpay", &self.account);
        let it = self.invoices.at(invoice);
        let payment = InvoicePayment {
            id: id.clone(),
            created: shared.second(),
            invoice: invoice.to_owned(),
            intent: intent.to_owned(),
            amount: it.total,
            currency: it.currency.clone(),
            paid_at: None,
            canceled_at: None,
        };
        self.invoice_payments.add(&id, payment);
        id
    }

    /// Marks an invoice as paid without an event.
    pub(crate) fn pay_silently(&mut self, shared: &mut Shared, id: &str) {
        let now = shared.second();
        let it = self.invoices.change(id);
        it.status = InvoiceStatus::Paid;
        it.amount_paid = it.total;
        it.times.paid = Some(now);
        it.attempted = true;
        it.auto_advance = false;
        it.next_attempt = None;
        if let Some(payment) = it.payment.clone() {
            self.invoice_payments.change(&payment).paid_at = Some(now);
        }
    }

    /// Sends the events of an invoice that was paid.
    pub(crate) fn tell_paid(&mut self, shared: &mut Shared, id: &str) {
        self.tell(shared, "invoice.paid", Kind::Invoice, id);
        self.tell(shared, "invoice.payment_succeeded", Kind::Invoice, id);
        if let Some(payment) = self.invoices.at(id).payment.clone() {
            self.tell(shared, "invoice_payment.paid", Kind::InvoicePayment, &payment);
        }
    }

    /// An invoice is paid. A subscription that owed it is active again.
    ///
    /// Recorded: the event of an invoice that an attempt pays shows the count of attempts as changed.
    pub(crate) fn mark_paid(&mut self, shared: &mut Shared, id: &str, attempt: Option<Attempt>) {
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, shared| {
            if let Some(attempt) = attempt {
                it.count(id, attempt);
            }
            it.pay_silently(shared, id);
        });
        self.tell_paid(shared, id);
        let it = self.invoices.at(id);
        let (customer, subscription) = (it.customer.clone(), it.subscription.clone());
        self.delinquent(shared, &customer, false);
        let owed = matches!(
            self.subscriptions.at(&subscription).status,
            SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid
        );
        if owed && self.subscriptions.at(&subscription).latest_invoice.as_deref() == Some(id) {
            self.becomes(shared, &subscription, SubscriptionStatus::Active);
        }
    }

    /// Finalizes a draft and collects it, unless that was stopped.
    pub(crate) fn finalize_and_collect(&mut self, shared: &mut Shared, id: &str) {
        let it = self.invoices.at(id);
        if it.status != InvoiceStatus::Draft || !it.auto_advance {
            return;
        }
        self.finalize(shared, id, None);
        if self.invoices.at(id).status == InvoiceStatus::Open {
            self.collect(shared, id, Attempt::Scheduled);
        }
    }

    /// Tries to collect an open invoice. Returns whether it is paid.
    pub(crate) fn collect(&mut self, shared: &mut Shared, id: &str, attempt: Attempt) -> bool {
        let it = self.invoices.at(id);
        let payment = it.payment.clone().map(|payment| self.invoice_payments.at(&payment).intent.clone());
        let method = self.subscriptions.at(&it.subscription).method.clone();
        let (InvoiceStatus::Open, Some(intent), Some(method)) = (it.status, payment, method) else { return false };
        let used = self.methods.at(&method);
        match (used.declines.or(used.test.decline()), used.test.is_debit()) {
            (Some(decline), _) => {
                self.fail(shared, &intent, &method, decline);
                self.payment_failed(shared, id, attempt);
                false
            }
            (None, true) => {
                let fails = used.test == TestMethod::DebitFails;
                self.begin_debit(shared, &intent, &method, fails);
                false
            }
            (None, false) => {
                self.succeed(shared, &intent, &method);
                self.mark_paid(shared, id, Some(attempt));
                true
            }
        }
    }

    /// Documented: any attempt counts as the first one, and after it only those of the schedule.
    fn count(&mut self, id: &str, attempt: Attempt) {
        let it = self.invoices.change(id);
        if it.attempts == 0 || attempt == Attempt::Scheduled {
            it.attempts += 1;
        }
        it.attempted = true;
    }

    /// A payment of an invoice failed. Plans the next attempt, or gives up after the last one.
    pub(crate) fn payment_failed(&mut self, shared: &mut Shared, id: &str, attempt: Attempt) {
        let now = shared.second();
        let retries = self.settings.retry_days.clone();
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, _| {
            it.count(id, attempt);
            let next = |attempts: u32| retries.get(usize::try_from(attempts - 1).ok()?).copied();
            let it = it.invoices.change(id);
            if it.auto_advance && (attempt == Attempt::Scheduled || it.next_attempt.is_none()) {
                it.next_attempt = next(it.attempts).map(|days| now + i64::from(days) * DAY);
            }
        });
        self.tell(shared, "invoice.payment_failed", Kind::Invoice, id);
        let it = self.invoices.at(id);
        let (customer, subscription) = (it.customer.clone(), it.subscription.clone());
        let (attempts, next, advances) = (it.attempts, it.next_attempt, it.auto_advance);
        self.delinquent(shared, &customer, true);
        if self.subscriptions.at(&subscription).status == SubscriptionStatus::Active {
            self.becomes(shared, &subscription, SubscriptionStatus::PastDue);
        }
        match next {
            Some(next) => self.agenda.plan(next, Job::Retry { invoice: id.to_owned(), attempts }),
            None if attempt == Attempt::Scheduled && advances && !self.agenda.held => {
                self.give_up(shared, &subscription, self.settings.after_retries);
            }
            None => {}
        }
    }

    /// The retries of a subscription's invoice are over.
    pub(crate) fn give_up(&mut self, shared: &mut Shared, id: &str, way: AfterRetries) {
        let it = self.subscriptions.at(id);
        if it.status != SubscriptionStatus::PastDue {
            return;
        }
        if let Some(invoice) = it.latest_invoice.clone() {
            self.stop_collecting(shared, &invoice);
        }
        match way {
            AfterRetries::Cancel => self.end_subscription(shared, id, Some("payment_failed")),
            AfterRetries::Pause => self.pause(shared, id),
            AfterRetries::PastDue => {}
            AfterRetries::Unpaid => self.becomes(shared, id, SubscriptionStatus::Unpaid),
        }
    }

    /// Stops the automatic collection of an invoice.
    pub(crate) fn stop_collecting(&mut self, shared: &mut Shared, id: &str) {
        if !matches!(self.invoices.at(id).status, InvoiceStatus::Draft | InvoiceStatus::Open) {
            return;
        }
        self.changing(shared, "invoice.updated", (Kind::Invoice, id), |it, _| {
            let it = it.invoices.change(id);
            (it.auto_advance, it.next_attempt, it.finalizes_at) = (false, None, None);
        });
    }

    /// An automatic payment failure makes a customer delinquent, and a paid invoice ends that.
    fn delinquent(&mut self, shared: &mut Shared, customer: &str, delinquent: bool) {
        self.changing(shared, "customer.updated", (Kind::Customer, customer), |it, _| {
            it.customers.change(customer).delinquent = delinquent;
        });
    }
}
