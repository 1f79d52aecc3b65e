//! Decides which statements there are: one per file under `queries/`. It does not know when they run.

use std::sync::Arc;

use crate::{
    dialect::{Dialect, Entries, TablePrefix},
    executor::{Cell, Statement},
};

macro_rules! queries {
    ($($query:ident = $file:literal,)*) => {
        /// A statement of the shared SQL.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Query {
            $($query,)*
        }

        /// Name and shared text of each, in the order of the variants.
        const FILES: &[(&str, &str)] = &[
            $(($file, include_str!(concat!("../queries/", $file, ".sql"))),)*
        ];
    };
}

queries! {
    CheckoutsClear = "checkouts_clear",
    CheckoutsDump = "checkouts_dump",
    CheckoutsPut = "checkouts_put",
    CreditsClear = "credits_clear",
    CreditsDump = "credits_dump",
    CreditsPut = "credits_put",
    CustomersClear = "customers_clear",
    CustomersDump = "customers_dump",
    CustomersPut = "customers_put",
    DisputesClear = "disputes_clear",
    DisputesDump = "disputes_dump",
    DisputesPut = "disputes_put",
    EntitlementsClear = "entitlements_clear",
    EntitlementsDump = "entitlements_dump",
    EntitlementsPut = "entitlements_put",
    EventConflictsInsert = "event_conflicts_insert",
    EventConflictsList = "event_conflicts_list",
    EventsAccept = "events_accept",
    EventsByKey = "events_by_key",
    EventsByPublicId = "events_by_public_id",
    EventsClaim = "events_claim",
    EventsFence = "events_fence",
    EventsInsert = "events_insert",
    EventsList = "events_list",
    EventsListOpen = "events_list_open",
    EventsLoad = "events_load",
    EventsLoadBodies = "events_load_bodies",
    EventsLock = "events_lock",
    EventsName = "events_name",
    EventsRelease = "events_release",
    EventsReleaseLock = "events_release_lock",
    EventsUnnamed = "events_unnamed",
    EventsUpdate = "events_update",
    FactsByEvent = "facts_by_event",
    FactsBySubject = "facts_by_subject",
    FactsForget = "facts_forget",
    FactsInsert = "facts_insert",
    IdempotencyKeysInsert = "idempotency_keys_insert",
    IdempotencyKeysLoad = "idempotency_keys_load",
    InvoicesClear = "invoices_clear",
    InvoicesDump = "invoices_dump",
    InvoicesPut = "invoices_put",
    PaymentsClear = "payments_clear",
    PaymentsDump = "payments_dump",
    PaymentsPut = "payments_put",
    PricesClear = "prices_clear",
    PricesDump = "prices_dump",
    PricesPut = "prices_put",
    ProductsClear = "products_clear",
    ProductsDump = "products_dump",
    ProductsPut = "products_put",
    RefundsClear = "refunds_clear",
    RefundsDump = "refunds_dump",
    RefundsPut = "refunds_put",
    SchedulesClear = "schedules_clear",
    SchedulesDump = "schedules_dump",
    SchedulesPut = "schedules_put",
    SchemaExists = "schema_exists",
    SchemaVersion = "schema_version",
    SubjectRevisionsInsert = "subject_revisions_insert",
    SubjectsByCustomer = "subjects_by_customer",
    SubjectsByOwner = "subjects_by_owner",
    SubjectsByPublicId = "subjects_by_public_id",
    SubjectsList = "subjects_list",
    SubjectsLoad = "subjects_load",
    SubjectsName = "subjects_name",
    SubjectsPut = "subjects_put",
    SubjectsUnnamed = "subjects_unnamed",
    SubscriptionItemsClear = "subscription_items_clear",
    SubscriptionItemsDump = "subscription_items_dump",
    SubscriptionItemsPut = "subscription_items_put",
    SubscriptionsClear = "subscriptions_clear",
    SubscriptionsDump = "subscriptions_dump",
    SubscriptionsPut = "subscriptions_put",
    TransitionsClear = "transitions_clear",
    TransitionsDump = "transitions_dump",
    TransitionsInsert = "transitions_insert",
    TransitionsList = "transitions_list",
    WaitsClear = "waits_clear",
    WaitsInsert = "waits_insert",
    WaitsLoad = "waits_load",
}

/// Every statement in one dialect, rendered once.
#[derive(Debug)]
pub(crate) struct Catalogue {
    texts: Vec<Arc<str>>,
    entries: Entries,
    locks: bool,
}

impl Catalogue {
    pub(crate) fn new(dialect: &Dialect, prefix: &TablePrefix) -> Self {
        let texts = FILES.iter().map(|(_, text)| dialect.render(prefix, text)).collect();
        Self { texts, entries: dialect.entries, locks: dialect.locks }
    }

    /// How rows with one long column come in a parameter.
    pub(crate) fn entries(&self) -> Entries {
        self.entries
    }

    /// Whether rows have to be locked before a batch decides by them.
    pub(crate) fn locks(&self) -> bool {
        self.locks
    }

    pub(crate) fn statement(&self, query: Query, params: Vec<Cell>) -> Statement {
        let at = query as usize;
        Statement { name: FILES[at].0, sql: Arc::clone(&self.texts[at]), params }
    }
}

/// Name and text of every statement in a dialect, for whoever wants to prove that each one prepares.
pub fn statements(dialect: &Dialect, prefix: &TablePrefix) -> Vec<(&'static str, Arc<str>)> {
    let names = FILES.iter().map(|(name, _)| *name);
    names.zip(Catalogue::new(dialect, prefix).texts).collect()
}
