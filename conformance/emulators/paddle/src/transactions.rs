//! Decides how transactions are created and changed by requests. A transaction is ready when it has a customer and an
//! address, and details of billing where an invoice is sent.

use purchase_emulator::{Call, Reply, Shared};
use serde_json::{Map, Value};

use crate::{
    Paddle,
    catalog::set,
    fault::Fault,
    fields::Fields,
    ids,
    money::Currency,
    query::Query,
    times::Times,
    transaction::{Line, Manual, Origin, Status, Transaction},
};

/// What a request says about a transaction.
#[derive(Default)]
pub(crate) struct Changes {
    items: Option<Vec<Value>>,
    customer: Option<Option<String>>,
    address: Option<Option<String>>,
    custom_data: Option<Option<Map<String, Value>>>,
    currency: Option<Option<Currency>>,
    page: Option<Option<String>>,
    manual: Option<Option<Manual>>,
}

impl Changes {
    fn read(mut fields: Fields) -> Result<Self, Fault> {
        let mut changes = Self {
            items: fields.read("items"),
            customer: fields.read("customer_id"),
            address: fields.read("address_id"),
            custom_data: fields.read("custom_data"),
            currency: fields.read("currency_code"),
            ..Self::default()
        };
        let mode = fields.word("collection_mode", &["automatic", "manual"]);
        let details: Option<Option<Manual>> = fields.read("billing_details");
        let manual = details.flatten();
        let checkout: Option<Option<Map<String, Value>>> = fields.read("checkout");
        // Null says what is so anyway.
        for name in ["billing_period", "business_id", "discount_id"] {
            if let Some(value) = fields.read::<Value>(name).filter(|value| !value.is_null()) {
                let _ = value;
                return Err(Fault::not_emulated(format!("the field {name}")));
            }
        }
        fields.finish(&["discount", "status"])?;
        if let Some(mut checkout) = checkout.flatten() {
            let url = checkout.remove("url");
            changes.page = Some(url.and_then(|url| url.as_str().map(str::to_owned)));
            if !checkout.is_empty() {
                return Err(Fault::field("checkout", "additional property is not allowed"));
            }
        }
        changes.manual = match (mode.as_deref(), manual) {
            (Some("manual"), None) => {
                let detail = "Billing details object is required when collection mode is manual";
                return Err(Fault::transaction("transaction_billing_details_object_required", detail));
            }
            (Some("manual"), manual) => Some(manual),
            (_, Some(_)) => {
                let detail = "Billing details must be null when collection mode is automatic";
                return Err(Fault::transaction("transaction_billing_details_must_be_null", detail));
            }
            (Some(_), None) => Some(None),
            (None, None) => None,
        };
        Ok(changes)
    }
}

/// The largest quantity of an item. Amounts then stay within 64 bits.
const MOST_EMULATED: u32 = 1_000_000;

impl Paddle {
    pub(crate) fn create_transaction(&mut self, shared: &mut Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        Query::of(call).finish(&["include"])?;
        let mut fields = Fields::of_call(call)?;
        if !fields.has("items") {
            fields.refuse("items", "must be provided as part of the request");
        }
        let id = self.begin_transaction(shared, Origin::Api, Changes::read(fields)?)?;
        Ok(self.shown(201, &id))
    }

    /// A buyer opens a checkout that has items and nothing else.
    pub(crate) fn open_checkout(&mut self, shared: &mut Shared, body: Value) -> Result<String, Fault> {
        let changes = Changes::read(Fields::of(body)?)?;
        self.begin_transaction(shared, Origin::Web, changes)
    }

    fn begin_transaction(&mut self, shared: &mut Shared, origin: Origin, changes: Changes) -> Result<String, Fault> {
        let mut transaction = Transaction {
            id: String::new(),
            times: Times::new(0),
            status: Status::Draft,
            origin,
            customer: None,
            address: None,
            subscription: None,
            custom_data: None,
            currency: crate::money::Money::default().currency_code,
            lines: Vec::new(),
            billing_period: None,
            invoice: None,
            billed: None,
            attempts: Vec::new(),
            page: None,
            manual: None,
            credited: 0,
            collect_at: None,
        };
        self.apply(&mut transaction, changes)?;
        transaction.times = Times::new(self.tick(shared));
        transaction.id = ids::id("txn", transaction.times.created, &mut shared.draw);
        number_lines(&mut transaction, shared);
        let (id, is_ready) = (transaction.id.clone(), transaction.status == Status::Ready);
        self.transactions.insert(id.clone(), transaction);
        match is_ready && shared.draw.percent(self.account.oddities.ready_before_created) {
            true => ["transaction.ready", "transaction.created"].iter().for_each(|it| self.emit(shared, it, &id)),
            false => {
                self.emit(shared, "transaction.created", &id);
                // Documented: it occurs immediately after.
                if is_ready {
                    self.emit(shared, "transaction.ready", &id);
                }
            }
        }
        Ok(id)
    }

    pub(crate) fn update_transaction(
        &mut self,
        shared: &mut Shared,
        id: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Fault> {
        Query::of(call).finish(&["include"])?;
        let mut transaction = self.transactions.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        let mut fields = Fields::of_call(call)?;
        let status: Option<String> = fields.read("status");
        match status.as_deref() {
            None => {}
            Some("canceled") => {
                fields.finish(&[]).map_err(|_| {
                    let detail = "Cannot update transaction to canceled, along with other fields at the same time";
                    Fault::transaction("transaction_cannot_be_modified_and_canceled", detail)
                })?;
                self.cancel_transaction(shared, id)?;
                return Ok(self.shown(200, id));
            }
            Some("billed") => {
                fields.finish(&[]).map_err(|_| Fault::not_emulated("the field status beside other fields"))?;
                self.bill_transaction(shared, id)?;
                return Ok(self.shown(200, id));
            }
            Some(other) => return Err(invalid_change(transaction.status, other)),
        }
        if !matches!(transaction.status, Status::Draft | Status::Ready) {
            return Err(Fault::transaction("transaction_immutable", "Cannot update immutable transaction"));
        }
        let was_ready = transaction.status == Status::Ready;
        self.apply(&mut transaction, Changes::read(fields)?)?;
        number_lines(&mut transaction, shared);
        let becomes_ready = transaction.status == Status::Ready && !was_ready;
        self.change_transaction(shared, id, |it| *it = transaction);
        match becomes_ready {
            true => self.emit_status(shared, "transaction.ready", id),
            false => self.emit(shared, "transaction.updated", id),
        }
        Ok(self.shown(200, id))
    }

    /// Applies changes to a transaction that isn't stored yet.
    fn apply(&self, transaction: &mut Transaction, changes: Changes) -> Result<(), Fault> {
        if let Some(items) = changes.items {
            transaction.lines = self.lines(items)?;
            let trial = transaction.recurring().next().map(|line| line.price.trial_period);
            if transaction.recurring().any(|line| Some(line.price.trial_period) != trial) {
                let detail = "All recurring prices must have the same trial period";
                return Err(Fault::transaction("transaction_price_different_trial_period", detail));
            }
            transaction.currency = transaction.lines[0].price.unit_price.currency_code.clone();
        }
        set(&mut transaction.customer, changes.customer);
        set(&mut transaction.address, changes.address);
        set(&mut transaction.custom_data, changes.custom_data);
        set(&mut transaction.page, changes.page);
        set(&mut transaction.manual, changes.manual);
        if changes.currency.flatten().is_some_and(|it| it != transaction.currency) {
            return Err(Fault::not_emulated("a currency other than the prices'"));
        }
        if transaction.manual.is_some() && transaction.recurring().next().is_some() {
            return Err(Fault::not_emulated("an invoice for what recurs"));
        }
        let known = |customer: &String| self.customers.contains_key(customer);
        match (&transaction.customer, &transaction.address) {
            (None, Some(_)) => {
                let detail = "customer_id is required when address_id is provided";
                return Err(Fault::transaction("transaction_customer_is_required_with_address", detail));
            }
            (Some(customer), _) if !known(customer) => return Err(Fault::not_found(customer)),
            (Some(customer), Some(address))
                if self.addresses.get(address).is_none_or(|it| it.customer != *customer) =>
            {
                return Err(Fault::not_found(address));
            }
            _ => {}
        }
        let is_ready = transaction.customer.is_some() && transaction.address.is_some();
        transaction.status = if is_ready { Status::Ready } else { Status::Draft };
        Ok(())
    }

    /// The lines of a list of items, without ids.
    pub(crate) fn lines(&self, items: Vec<Value>) -> Result<Vec<Line>, Fault> {
        if items.is_empty() || items.len() > 100 {
            return Err(Fault::field("items", "must have between 1 and 100 items"));
        }
        let mut lines: Vec<Line> = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            let inside = |fault: Fault| fault.inside(&format!("items[{place}]"));
            let mut fields = Fields::of(item).map_err(inside)?;
            if fields.has("price") {
                return Err(Fault::not_emulated("the field items[].price"));
            }
            let (price, quantity): (Option<String>, Option<u32>) = (fields.need("price_id"), fields.need("quantity"));
            fields.finish(&[]).map_err(inside)?;
            let (price, quantity) = (price.unwrap_or_default(), quantity.unwrap_or_default());
            if lines.iter().any(|line| line.price.id == price) {
                let detail = "The list of items has a price more than once";
                return Err(Fault::transaction("transaction_duplicate_price_ids", detail));
            }
            lines.push(self.line(&price, quantity)?);
        }
        let recurring = || lines.iter().filter(|line| line.price.billing_cycle.is_some());
        let first = recurring().next();
        if recurring().any(|line| Some(line.price.billing_cycle) != first.map(|it| it.price.billing_cycle)) {
            let detail = "All recurring prices must have the same billing cycle";
            return Err(Fault::transaction("transaction_price_different_billing_cycle", detail));
        }
        let currency = &lines[0].price.unit_price.currency_code;
        match lines.iter().all(|line| line.price.unit_price.currency_code == *currency) {
            true => Ok(lines),
            false => Err(Fault::not_emulated("prices in several currencies")),
        }
    }

    fn line(&self, price: &str, quantity: u32) -> Result<Line, Fault> {
        let unknown = || Fault::transaction("transaction_price_not_found", format!("Unable to find price {price}"));
        let price = self.prices.get(price).ok_or_else(unknown)?;
        let product = self.products.get(&price.product).ok_or_else(unknown)?;
        if price.status == "archived" {
            return Err(Fault::shared(400, "entity_archived", format!("Entity {} is archived", price.id)));
        }
        if quantity > MOST_EMULATED {
            return Err(Fault::not_emulated(format!("a quantity above {MOST_EMULATED}")));
        }
        if quantity < price.quantity.minimum || quantity > price.quantity.maximum {
            let detail = format!("The quantity of price {} is out of range", price.id);
            return Err(Fault::transaction("transaction_item_quantity_out_of_range", detail));
        }
        let unit = if price.trial_period.is_some() { 0 } else { price.unit_price.amount.0 };
        Ok(Line { id: String::new(), price: price.clone(), product: product.clone(), quantity, unit })
    }

    fn cancel_transaction(&mut self, shared: &mut Shared, id: &str) -> Result<(), Fault> {
        let status = self.transactions.get(id).map_or(Status::Canceled, |it| it.status);
        // Documented in the error reference: only `ready` and `billed` can be canceled.
        if !matches!(status, Status::Billed | Status::Ready) {
            return Err(invalid_change(status, "canceled"));
        }
        self.void(shared, id);
        Ok(())
    }

    /// A transaction isn't due any more.
    pub(crate) fn void(&mut self, shared: &mut Shared, id: &str) {
        self.change_transaction(shared, id, |it| (it.status, it.collect_at) = (Status::Canceled, None));
        self.emit_status(shared, "transaction.canceled", id);
    }

    /// An invoice is issued.
    fn bill_transaction(&mut self, shared: &mut Shared, id: &str) -> Result<(), Fault> {
        let Some(it) = self.transactions.get(id) else { return Err(Fault::not_found(id)) };
        let Some(terms) = it.manual.as_ref().map(|it| it.payment_terms) else {
            return Err(Fault::not_emulated("the status billed of what a checkout collects"));
        };
        if it.status != Status::Ready {
            let detail = "Transaction status needs to be ready";
            return Err(Fault::transaction("transaction_status_must_be_ready", detail));
        }
        let now = shared.now;
        self.change_transaction(shared, id, |it| {
            (it.status, it.billed, it.collect_at) = (Status::Billed, Some(now), Some(terms.period(now).end));
        });
        self.emit(shared, "transaction.billed", id);
        // Documented: an update occurs immediately after, to add the invoice's number.
        let invoice = self.invoice(shared);
        self.change_transaction(shared, id, |it| it.invoice = Some(invoice));
        self.emit(shared, "transaction.updated", id);
        Ok(())
    }

    /// Changes a transaction, and the time of its last change.
    pub(crate) fn change_transaction(&mut self, shared: &mut Shared, id: &str, change: impl FnOnce(&mut Transaction)) {
        let now = self.tick(shared);
        self.misdated.remove(id);
        if let Some(it) = self.transactions.get_mut(id) {
            change(it);
            it.times.changed = now;
        }
    }
}

/// Gives ids to new lines.
pub(crate) fn number_lines(transaction: &mut Transaction, shared: &mut Shared) {
    for line in transaction.lines.iter_mut().filter(|line| line.id.is_empty()) {
        line.id = ids::id("txnitm", shared.now, &mut shared.draw);
    }
}

fn invalid_change(from: Status, to: &str) -> Fault {
    let detail = format!("Invalid attempt to change status from '{}' to '{to}'", from.as_str());
    Fault::transaction("transaction_invalid_status_change", detail)
}
