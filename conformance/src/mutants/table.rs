//! Lists the mutants: one line for each, with the law that must find it.

use purchase_core::capability::Capability;

use crate::mutants::{
    Ground, Mutant,
    Mutation::{Adapter, Executor, Place, Statement as InStatement, Store as InStore, System as Around},
    adapters, declarations, facts, inbox, keys, promises, stores, systems,
};

macro_rules! mutant {
    ($name:literal $failure:literal $law:literal $ground:ident $sentence:literal $like:literal $mutation:expr) => {
        Mutant {
            name: $name,
            failure: $failure,
            like: $like,
            law: $law,
            sentence: $sentence,
            ground: Ground::$ground,
            mutation: $mutation,
        }
    };
}

/// Every mutant.
pub const MUTANTS: &[Mutant] = &[
    mutant!("believes-everybody" "signature" "P02" Anywhere
        "signs every body with the right secret itself, and then checks that signature"
        "any signature is accepted"
        Around(systems::believes_everybody)),
    mutant!("parses-before-checking" "signature" "P01" Anywhere
        "checks the signature against the parsed and re-serialized body"
        "the body is parsed and re-serialized before the check"
        Around(systems::parses_before_checking)),
    mutant!("ignores-the-time" "signature" "P03" Kit
        "doesn't check the age of a delivery"
        "an old request is replayed"
        Adapter(adapters::ignores_the_time)),
    mutant!("first-signature-only" "signature" "P04" Kit
        "checks only the first signature"
        ""
        Adapter(adapters::first_signature_only)),
    mutant!("last-signature-only" "signature" "P04" Kit
        "checks only the last signature"
        ""
        Adapter(adapters::last_signature_only)),
    mutant!("first-secret-only" "signature" "P04" Anywhere
        "tries only the first secret"
        "every delivery fails during a secret rotation"
        Adapter(adapters::first_secret_only)),
    mutant!("last-arrival-wins" "F1" "P06" Anywhere
        "orders observations by arrival"
        "a slow request overwrites the newer state"
        Adapter(adapters::last_arrival_wins)),
    mutant!("drops-the-tied" "F2" "P06" Kit
        "drops an observation that is not newer than the last one"
        "the newer of two updates in one second is dropped"
        Adapter(adapters::drops_the_tied)),
    mutant!("last-of-the-tied" "F2" "P06" Kit
        "resolves ties by arrival"
        "of two updates in one second, the last to arrive wins"
        Adapter(adapters::last_of_the_tied)),
    mutant!("drops-prior-states" "F2" "P14" Kit
        "ignores prior states"
        ""
        Adapter(adapters::drops_prior_states)),
    mutant!("drops-orphans" "F3" "P06" Kit
        "drops observations of an object until it has seen the creation"
        "an update before its creation is dropped"
        Adapter(adapters::drops_orphans)),
    mutant!("drops-pending-owners" "F3" "P06" Kit
        "forgets pending owners"
        "a payment arrives before its parent and is never attached"
        InStore(stores::drops_waits)),
    mutant!("drops-links" "F3" "P14" Anywhere
        "drops the links between objects and customers"
        ""
        Adapter(adapters::drops_links)),
    mutant!("forgets-the-ended" "F4" "P06" Kit
        "deletes an ended subscription, so a late update creates a new one"
        "a late update revives a canceled subscription"
        InStore(stores::forgets_the_ended)),
    mutant!("swallows-errors" "F5" "P09" Anywhere
        "answers 200 when its store fails"
        "200 although nothing was persisted"
        Around(systems::swallows_errors)),
    mutant!("claims-before-effects" "F5" "P09" Anywhere
        "marks events as done before it writes their effects"
        "a worker dies between its claim and its effects, and the event is lost"
        InStore(stores::claims_before_effects)),
    mutant!("half-a-commit" "F5" "P09" Anywhere
        "writes facts and subjects in separate commits"
        "the row is written, but the entitlement isn't"
        InStore(stores::half_a_commit)),
    mutant!("answers-and-forgets" "F5" "P18" Kit
        "answers 200, but doesn't store ignored events"
        "an unknown customer's event is acknowledged and lost"
        InStore(stores::forgets_the_ignored)),
    mutant!("effect-per-delivery" "F6" "P05" Anywhere
        "treats each delivery as a new event"
        "a replayed event grants again"
        Adapter(adapters::effect_per_delivery)),
    mutant!("blind-writes" "F7" "P08" Anywhere
        "writes without comparing the revision"
        "a slow refetch overwrites the newer state"
        InStore(stores::blind_writes)),
    mutant!("blind-store" "F7" "S02" Anywhere
        "writes without comparing the revision"
        ""
        InStore(stores::blind_writes)),
    mutant!("goes-by-the-body" "conflict" "P13" Anywhere
        "identifies events by their bodies"
        "a repetition in different bytes becomes a new event"
        Adapter(adapters::goes_by_the_body)),
    mutant!("accepts-conflicts" "conflict" "P13" Kit
        "treats a different body under the same event id as a repetition"
        ""
        Adapter(adapters::accepts_conflicts)),
    mutant!("refuses-unknown-types" "reading" "P10" Anywhere
        "treats an unknown event type as an error"
        "500 on a new event type, and a loop of retries"
        Adapter(adapters::refuses_unknown_types)),
    mutant!("refuses-unknown-values" "reading" "P12" Anywhere
        "treats an unknown status as an error"
        "one unknown variant fails every event"
        Adapter(adapters::refuses_unknown_values)),
    mutant!("guesses" "reading" "P17" Anywhere
        "ignores an event whose body it can't read"
        "a moved field is silently unset"
        Adapter(adapters::guesses)),
    mutant!("talks" "redaction" "P15" Anywhere
        "includes the body of a delivery in its errors"
        ""
        Adapter(adapters::talks)),
    mutant!("first-of-each-batch" "batches" "P07" Anywhere
        "processes only the first delivery of a batch"
        ""
        Around(systems::first_of_each_batch)),
    mutant!("loses-facts" "rebuild" "P16" Anywhere
        "stores the state, but not the facts"
        ""
        InStore(stores::loses_facts)),
    mutant!("accepts-twice" "store" "S01" Anywhere
        "accepts a stored event as new"
        "concurrent deliveries insert two rows"
        InStore(stores::accepts_twice)),
    mutant!("torn-batches" "store" "S03" Anywhere
        "runs the statements of a batch one by one"
        ""
        Executor),
    mutant!("forgets-leases" "store" "S04" Anywhere
        "commits without checking the lease"
        ""
        InStore(stores::forgets_leases)),
    mutant!("claims-twice" "store" "S05" Anywhere
        "gives an event that a worker holds to another worker"
        "two workers process one event"
        InStore(stores::claims_twice)),
    mutant!("forgets-ordering-keys" "store" "S12" Anywhere
        "stores events without their ordering keys"
        "two workers process one customer's events out of order"
        InStore(stores::forgets_ordering_keys)),
    mutant!("forgets-attempts" "store" "S13" Anywhere
        "claims events as if they had never been tried"
        "an event that kills its worker is retried forever"
        InStore(stores::forgets_attempts)),
    mutant!("keeps-texts-only" "store" "S14" Anywhere
        "stores bodies as text and replaces the bytes that are not text"
        "what was signed can't be verified or read again"
        InStore(stores::keeps_texts_only)),
    mutant!("reads-the-past" "store" "S06" Anywhere
        "answers a load with what it loaded first"
        ""
        InStore(stores::reads_the_past)),
    mutant!("forgets-on-closing" "store" "S08" Kit
        "keeps everything in memory"
        ""
        Place),
    mutant!("opens-anything" "store" "S10" Kit
        "doesn't check the schema"
        ""
        Place),
    mutant!("writes-only-news" "store" "S09" Anywhere
        "doesn't write a subject whose state is unchanged"
        ""
        InStore(stores::writes_only_news)),
    mutant!("drops-rows" "store" "S11" Anywhere
        "lists only the first subjects of a page"
        ""
        InStore(stores::drops_rows)),
    mutant!("refuses-everybody" "signature" "P01" Anywhere
        "finds no matching signature"
        "every delivery fails after a proxy changed a header"
        Adapter(declarations::refuses_everybody)),
    mutant!("thanks-forgers" "signature" "P02" Anywhere
        "answers 200 to deliveries that it refuses"
        "a delivery without a signature is answered with 200"
        Around(systems::thanks_forgers)),
    mutant!("tolerates-for-years" "signature" "P03" Kit
        "accepts deliveries that are a year old"
        "a tolerance of 10,000 hours"
        Adapter(declarations::tolerates_for_years)),
    mutant!("mails-per-delivery" "F6" "P05" Kit
        "reports a transition for every delivery"
        "the customer gets two e-mails about one failed payment"
        Around(systems::mails_per_delivery)),
    mutant!("forgets-who-came" "F6" "P05" Kit
        "doesn't remember which events are done"
        "event ids are forgotten while the provider still retries"
        InStore(inbox::forgets_who_came)),
    mutant!("row-per-event" "F3" "P06" Kit
        "inserts an object that it doesn't find, and inserts it again when it is created"
        "an update before its creation inserts a second row"
        Adapter(facts::row_per_event)),
    mutant!("late-creation-wins" "F1" "P06" Kit
        "treats a creation as the newest state, whenever it arrives"
        "a late creation with the status incomplete overwrites an update to active"
        Adapter(facts::late_creation_wins)),
    mutant!("one-watermark" "F1" "P06" Kit
        "drops events that are older than the last event of any object"
        "a watermark on the last event time drops late events"
        Adapter(facts::one_watermark)),
    mutant!("applies-the-payload" "F1" "P06" Kit
        "overwrites the stored state with the event's payload"
        "a late failure flips a paid invoice"
        InStore(inbox::applies_the_payload)),
    mutant!("first-owner-stays" "owner" "P06" Kit
        "keeps the owner that it saw first"
        "a stale transfer gives the entitlement back to the first owner"
        Adapter(facts::first_owner_stays)),
    mutant!("errored-is-done" "F5" "P09" Anywhere
        "treats a failed event as done when it is sent again"
        "the retry after a failed handler is treated as a repetition"
        Around(systems::errored_is_done)),
    mutant!("cancels-at-once" "meaning" "P11" Kit
        "treats a scheduled cancellation as immediate"
        "a cancellation for the end of the period ends access at once"
        Adapter(facts::cancels_at_once)),
    mutant!("forgets-moved-fields" "meaning" "P11" Kit
        "doesn't find the period"
        "the period moved in a new API version and is silently unset"
        Adapter(facts::forgets_moved_fields)),
    mutant!("refund-per-event" "F6" "P14" Kit
        "counts each event about a refund as a refund"
        "one fact in two events is counted twice"
        Adapter(facts::refund_per_event)),
    mutant!("attempts-overwrite" "meaning" "P14" Kit
        "keeps only one payment per subscription"
        "the second payment attempt overwrites the first"
        Adapter(facts::attempts_overwrite)),
    mutant!("delivers-before-paid" "meaning" "P14" Kit
        "treats a pending payment as paid"
        "the cart is completed while the payment is still processing"
        Adapter(facts::delivers_before_paid)),
    mutant!("ignores-deletion" "F4" "P14" Kit
        "doesn't mark deleted customers"
        "a deleted customer is not marked"
        Adapter(facts::ignores_deletion)),
    mutant!("traces-ids" "redaction" "P15" Anywhere
        "logs the ids of the objects that it reads"
        "customers' ids are in the logs"
        Adapter(declarations::traces_ids)),
    mutant!("failed-is-done" "F5" "P17" Anywhere
        "treats an unreadable event as done when it is sent again"
        "a run that failed is counted as a success"
        Around(systems::failed_is_done)),
    mutant!("fails-together" "batches" "P17" Anywhere
        "refuses a whole batch because of one unreadable body"
        "one bad row blocks the whole sync"
        Around(systems::fails_together)),
    mutant!("takes-parked-for-done" "F5" "P18" Kit
        "marks parked events as processed"
        "the event of an unknown customer is marked as processed"
        InStore(inbox::takes_parked_for_done)),
    mutant!("compares-bytes" "conflict" "P19" Kit
        "treats the same event in different bytes as a conflict"
        ""
        Adapter(declarations::compares_bytes)),
    mutant!("hides-ids" "capability" "P19" Kit
        "doesn't declare that events have ids"
        ""
        Adapter(|it| declarations::hides(it, Capability::EventIds))),
    mutant!("boasts-of-ids" "capability" "P19" Undeclared
        "declares ids that events don't have"
        ""
        Adapter(|it| declarations::boasts(it, Capability::EventIds))),
    mutant!("digests-what-it-parsed" "capability" "P19" Undeclared
        "identifies an event by its JSON instead of its bytes"
        "two events are treated as one, and one is lost"
        Adapter(declarations::digests_what_it_parsed)),
    mutant!("takes-any-mode" "capability" "P20" Kit
        "accepts live events at an endpoint for test events"
        "test events change live data"
        Adapter(declarations::takes_any_mode)),
    mutant!("forgets-the-mode" "capability" "P20" Kit
        "treats every event as a test event"
        "test events change live data"
        Adapter(declarations::forgets_the_mode)),
    mutant!("hides-modes" "capability" "P20" Kit
        "doesn't declare that events contain their mode"
        ""
        Adapter(|it| declarations::hides(it, Capability::ModeInEvent))),
    mutant!("boasts-of-modes" "capability" "P20" Undeclared
        "declares modes that events don't contain"
        ""
        Adapter(|it| declarations::boasts(it, Capability::ModeInEvent))),
    mutant!("takes-all-for-live" "capability" "P20" Undeclared
        "treats every event as live, whatever is configured"
        "test events change live data"
        Adapter(declarations::takes_all_for_live)),
    mutant!("reverses-evidence" "F2" "P21" Kit
        "reports the state after a change as the prior state"
        ""
        Adapter(facts::reverses_evidence)),
    mutant!("hides-prior-states" "capability" "P21" Kit
        "doesn't declare that events contain prior states"
        ""
        Adapter(|it| declarations::hides(it, Capability::PriorStates))),
    mutant!("makes-up-prior-states" "capability" "P21" Undeclared
        "reports prior states that the event doesn't contain"
        ""
        Adapter(facts::makes_up_priors)),
    mutant!("hides-the-time" "capability" "P22" Kit
        "doesn't declare that a time is signed, so the time is not checked"
        ""
        Adapter(|it| declarations::hides(it, Capability::SignedTime))),
    mutant!("boasts-of-times" "capability" "P22" Undeclared
        "declares a time that is not signed"
        ""
        Adapter(|it| declarations::boasts(it, Capability::SignedTime))),
    mutant!("forgets-the-account" "source" "P23" Kit
        "treats all accounts as one"
        "two accounts share one table"
        Adapter(declarations::forgets_the_account)),
    mutant!("forgets-the-provider" "source" "P23" Kit
        "treats all providers as one"
        "two providers can't share the tables"
        Adapter(declarations::forgets_the_provider)),
    mutant!("one-inbox-for-all" "source" "P23" Kit
        "looks up events by id, without their source"
        "event ids must be unique across providers"
        InStore(inbox::one_inbox_for_all)),
    mutant!("takes-customers-for-owners" "source" "P24" Kit
        "treats a provider's customer id as an application's customer id"
        "a user with a numeric id sees a stranger's subscription"
        Adapter(facts::takes_customers_for_owners)),
    mutant!("believes-old-copies" "owner" "P25" Kit
        "treats an old copy of metadata as new"
        "paying an old invoice returns the workspace to its old owner"
        Adapter(facts::believes_old_copies)),
    mutant!("reads-new-shapes-only" "reading" "P26" Kit
        "doesn't read a field where older API versions have it"
        "a moved field is silently unset"
        Adapter(adapters::reads_new_shapes_only)),
    mutant!("begins-in-1970" "meaning" "P27" Kit
        "treats every subscription as if it had always existed"
        ""
        Adapter(facts::begins_in_1970)),
    mutant!("reads-strictly" "reading" "P28" Anywhere
        "refuses a JSON body if its parser can't represent all of it"
        ""
        Adapter(adapters::reads_strictly)),
    mutant!("forgets-reasons" "store" "S06" Anywhere
        "doesn't store the reason of a finished event"
        ""
        InStore(stores::forgets_reasons)),
    mutant!("shrugs-at-strangers" "replay" "P29" Anywhere
        "ignores events of an account or a mode that it doesn't serve"
        "a replay by the other service takes access away"
        Adapter(declarations::shrugs_at_strangers)),
    mutant!("takes-strangers-for-broken" "queue" "P30" Anywhere
        "treats an event of an account or a mode that it doesn't serve as broken"
        "two services on one database turn each other's events into dead letters"
        Adapter(declarations::takes_strangers_for_broken)),
    mutant!("counts-what-comes-back" "queue" "P30" Anywhere
        "counts an attempt for an event that a worker returns"
        ""
        InStore(stores::counts_what_comes_back)),
    mutant!("finds-anything" "store" "S15" Anywhere
        "ignores the public id in a query for events"
        ""
        InStore(stores::finds_anything)),
    mutant!("forgets-keys" "store" "S16" Anywhere
        "doesn't store idempotency keys"
        "a client that retries after a time-out is charged twice"
        InStore(keys::forgets)),
    mutant!("keeps-the-last-key" "store" "S16" Anywhere
        "replaces the answer to an idempotency key by a later one"
        "two concurrent requests with one key are both executed"
        InStore(keys::keeps_the_last)),
    mutant!("mixes-scopes" "store" "S16" Anywhere
        "treats the same idempotency key in two scopes as one key"
        "one API client gets the answer to another's request"
        InStore(keys::mixes_scopes)),
    mutant!("releases-the-first" "store" "S17" Anywhere
        "marks a parked event as processed when the first of its subjects has an owner"
        ""
        InStore(promises::releases_the_first)),
    mutant!("keeps-old-pending-owners" "store" "S18" Anywhere
        "never removes a subject's pending owners"
        ""
        InStore(promises::keeps_old_waits)),
    mutant!("keeps-later-transitions" "store" "S19" Anywhere
        "keeps transitions of a later instant next to the new ones"
        "a late webhook leaves two renewals in the history"
        InStore(promises::keeps_later_transitions)),
    mutant!("mixes-histories" "store" "S19" Anywhere
        "lists the transitions of every object when asked for those of one"
        ""
        InStore(promises::mixes_histories)),
    mutant!("orders-by-the-first-key" "store" "S20" Anywhere
        "orders facts only by the first key of their version"
        ""
        InStore(promises::orders_by_the_first_key)),
    mutant!("keeps-what-was-read" "store" "S20" Anywhere
        "keeps the facts of an earlier reading when an event is read again"
        ""
        InStore(promises::keeps_what_was_read)),
    mutant!("lists-backwards" "store" "S21" Anywhere
        "lists events from the last to the first"
        "a replay runs backwards"
        InStore(promises::lists_backwards)),
    mutant!("repeats-the-last" "store" "S21" Anywhere
        "begins a page with the last event of the previous page"
        ""
        InStore(promises::repeats_the_last)),
    mutant!("lists-without-end" "store" "S21" Anywhere
        "lists events that were received after the end of the requested time range"
        ""
        InStore(promises::lists_without_end)),
    mutant!("lists-conflicts-unasked" "store" "S22" Anywhere
        "lists bodies in conflict among the events"
        ""
        InStore(promises::lists_conflicts_unasked)),
    mutant!("mixes-conflicts" "store" "S22" Anywhere
        "lists every body in conflict when asked for those of one event"
        ""
        InStore(promises::mixes_conflicts)),
    mutant!("forgets-conflicts" "store" "S22" Anywhere
        "doesn't store bodies in conflict"
        ""
        InStore(promises::forgets_conflicts)),
    mutant!("moves-anything" "store" "S23" Anywhere
        "changes an event's status without comparing the expected one"
        "a slow worker undoes what a faster one did"
        InStore(promises::moves_anything)),
    mutant!("lists-anybodys" "store" "S24" Anywhere
        "lists everybody's subjects when asked for those of one owner"
        ""
        InStore(promises::lists_anybodys)),
    mutant!("mixes-customers-of-sources" "store" "S24" Anywhere
        "treats customers of two sources with the same id as one customer"
        "customer 5551 of one provider sees what customer 5551 of another bought"
        InStore(promises::mixes_customers_of_sources)),
    mutant!("knows-it-since-today" "store" "S25" Anywhere
        "replaces the time of a fact by that of the last commit that contained it"
        "after a replay, nobody can say what was known last month"
        InStore(promises::knows_it_since_today)),
    mutant!("misspells-a-statement" "store" "S07" Anywhere
        "has an SQL statement that no database accepts"
        ""
        InStatement),
];
