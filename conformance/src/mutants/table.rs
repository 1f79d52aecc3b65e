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
        "signs every body with the right secret itself before it checks it"
        "any signature will do"
        Around(systems::believes_everybody)),
    mutant!("parses-before-checking" "signature" "P01" Anywhere
        "checks the signature over the body as it writes it again"
        "the body is parsed and written again before it is checked"
        Around(systems::parses_before_checking)),
    mutant!("ignores-the-time" "signature" "P03" Kit
        "checks no age"
        "an old request is replayed"
        Adapter(adapters::ignores_the_time)),
    mutant!("first-signature-only" "signature" "P04" Kit
        "looks at the first signature only"
        ""
        Adapter(adapters::first_signature_only)),
    mutant!("last-signature-only" "signature" "P04" Kit
        "looks at the last signature only"
        ""
        Adapter(adapters::last_signature_only)),
    mutant!("first-secret-only" "signature" "P04" Anywhere
        "tries the first secret only"
        "every delivery fails while a secret is rolled"
        Adapter(adapters::first_secret_only)),
    mutant!("last-arrival-wins" "F1" "P06" Anywhere
        "orders observations by their arrival"
        "a slow request overwrites the newer state"
        Adapter(adapters::last_arrival_wins)),
    mutant!("drops-the-tied" "F2" "P06" Kit
        "drops an observation that is not newer than the last one"
        "of two updates in one second the newer is dropped"
        Adapter(adapters::drops_the_tied)),
    mutant!("last-of-the-tied" "F2" "P06" Kit
        "settles ties by arrival"
        "of two updates in one second the last to arrive stays"
        Adapter(adapters::last_of_the_tied)),
    mutant!("drops-prior-states" "F2" "P14" Kit
        "takes no evidence of the state before"
        ""
        Adapter(adapters::drops_prior_states)),
    mutant!("drops-orphans" "F3" "P06" Kit
        "drops what is about an object it has not seen created"
        "an update before its creation is dropped"
        Adapter(adapters::drops_orphans)),
    mutant!("drops-pending-owners" "F3" "P06" Kit
        "forgets who waits for whom"
        "a payment arrives before its parent and is never attached"
        InStore(stores::drops_waits)),
    mutant!("drops-links" "F3" "P14" Anywhere
        "forgets what belongs to whom"
        ""
        Adapter(adapters::drops_links)),
    mutant!("forgets-the-ended" "F4" "P06" Kit
        "deletes an ended subscription, so that a late update makes a new one"
        "a late update revives what was canceled"
        InStore(stores::forgets_the_ended)),
    mutant!("swallows-errors" "F5" "P09" Anywhere
        "answers 200 when its store fails"
        "200 although nothing was persisted"
        Around(systems::swallows_errors)),
    mutant!("claims-before-effects" "F5" "P09" Anywhere
        "marks events as done before it writes what they bring"
        "a worker dies between its claim and its effects, and the event is lost"
        InStore(stores::claims_before_effects)),
    mutant!("half-a-commit" "F5" "P09" Anywhere
        "writes facts and subjects apart"
        "the row is written and the entitlement isn't"
        InStore(stores::half_a_commit)),
    mutant!("answers-and-forgets" "F5" "P18" Kit
        "answers 200 and keeps nothing of what it ignores"
        "an unknown customer's event is acknowledged and gone"
        InStore(stores::forgets_the_ignored)),
    mutant!("effect-per-delivery" "F6" "P05" Anywhere
        "takes each delivery for an event of its own"
        "a replayed event grants again"
        Adapter(adapters::effect_per_delivery)),
    mutant!("blind-writes" "F7" "P08" Anywhere
        "writes whatever revision there is"
        "a slow refetch overwrites the newer state"
        InStore(stores::blind_writes)),
    mutant!("blind-store" "F7" "S02" Anywhere
        "writes whatever revision there is"
        ""
        InStore(stores::blind_writes)),
    mutant!("goes-by-the-body" "conflict" "P13" Anywhere
        "names events by their bodies"
        "a repetition in other bytes is a new event"
        Adapter(adapters::goes_by_the_body)),
    mutant!("accepts-conflicts" "conflict" "P13" Kit
        "takes another body under the same id for a repetition"
        ""
        Adapter(adapters::accepts_conflicts)),
    mutant!("refuses-unknown-types" "reading" "P10" Anywhere
        "takes an unknown type for an error"
        "500 on a new event type, and a loop of retries"
        Adapter(adapters::refuses_unknown_types)),
    mutant!("refuses-unknown-values" "reading" "P12" Anywhere
        "takes an unknown state for an error"
        "one unknown variant fails every event"
        Adapter(adapters::refuses_unknown_values)),
    mutant!("guesses" "reading" "P17" Anywhere
        "takes a body that it can't read for one without meaning"
        "a field that moved is silently unset"
        Adapter(adapters::guesses)),
    mutant!("talks" "redaction" "P15" Anywhere
        "says in its errors which object they are about"
        ""
        Adapter(adapters::talks)),
    mutant!("first-of-each-batch" "batches" "P07" Anywhere
        "takes the first delivery of a batch for all of it"
        ""
        Around(systems::first_of_each_batch)),
    mutant!("loses-facts" "rebuild" "P16" Anywhere
        "keeps the state and not the facts"
        ""
        InStore(stores::loses_facts)),
    mutant!("accepts-twice" "store" "S01" Anywhere
        "accepts an event that is there as new"
        "concurrent deliveries insert two rows"
        InStore(stores::accepts_twice)),
    mutant!("torn-batches" "store" "S03" Anywhere
        "runs the statements of a batch one by one"
        ""
        Executor),
    mutant!("forgets-leases" "store" "S04" Anywhere
        "commits under any lease"
        ""
        InStore(stores::forgets_leases)),
    mutant!("claims-twice" "store" "S05" Anywhere
        "gives an event that somebody holds to another worker"
        "two workers process one event"
        InStore(stores::claims_twice)),
    mutant!("forgets-ordering-keys" "store" "S12" Anywhere
        "keeps an event without whose it is"
        "two workers process one customer's events out of order"
        InStore(stores::forgets_ordering_keys)),
    mutant!("forgets-attempts" "store" "S13" Anywhere
        "gives out events as if they had never been tried"
        "an event that kills its worker is tried for ever"
        InStore(stores::forgets_attempts)),
    mutant!("keeps-texts-only" "store" "S14" Anywhere
        "keeps a body as text, so that bytes which are none are replaced"
        "what was signed can't be verified or read again"
        InStore(stores::keeps_texts_only)),
    mutant!("reads-the-past" "store" "S06" Anywhere
        "answers with what it read before"
        ""
        InStore(stores::reads_the_past)),
    mutant!("forgets-on-closing" "store" "S08" Kit
        "keeps everything in memory"
        ""
        Place),
    mutant!("opens-anything" "store" "S10" Kit
        "looks at no schema"
        ""
        Place),
    mutant!("writes-only-news" "store" "S09" Anywhere
        "writes no subject whose state is as it was"
        ""
        InStore(stores::writes_only_news)),
    mutant!("drops-rows" "store" "S11" Anywhere
        "reads back only the first subjects of a page"
        ""
        InStore(stores::drops_rows)),
    mutant!("refuses-everybody" "signature" "P01" Anywhere
        "finds no signature that matches"
        "every delivery fails after a proxy changed a header"
        Adapter(declarations::refuses_everybody)),
    mutant!("thanks-forgers" "signature" "P02" Anywhere
        "answers 200 to whom it doesn't believe"
        "a missing signature is answered 200"
        Around(systems::thanks_forgers)),
    mutant!("tolerates-for-years" "signature" "P03" Kit
        "accepts what is a year old"
        "a tolerance of 10,000 hours"
        Adapter(declarations::tolerates_for_years)),
    mutant!("mails-per-delivery" "F6" "P05" Kit
        "tells a transition with every delivery"
        "the customer gets two mails about one failed payment"
        Around(systems::mails_per_delivery)),
    mutant!("forgets-who-came" "F6" "P05" Kit
        "keeps no list of events that are done"
        "the memory of events ends before the retries do"
        InStore(inbox::forgets_who_came)),
    mutant!("row-per-event" "F3" "P06" Kit
        "inserts what it doesn't find, and again when it is created"
        "an update before its creation inserts a second row"
        Adapter(facts::row_per_event)),
    mutant!("late-creation-wins" "F1" "P06" Kit
        "takes a creation for news whenever it comes"
        "created, incomplete, overwrites updated, active"
        Adapter(facts::late_creation_wins)),
    mutant!("one-watermark" "F1" "P06" Kit
        "drops what is older than the last event of any object"
        "a watermark on the time of the last event drops what is late"
        Adapter(facts::one_watermark)),
    mutant!("applies-the-payload" "F1" "P06" Kit
        "writes what the event says over what is there"
        "a late failure flips a paid invoice"
        InStore(inbox::applies_the_payload)),
    mutant!("first-owner-stays" "owner" "P06" Kit
        "believes whom it heard of first"
        "a stale transfer gives the entitlement back to the first owner"
        Adapter(facts::first_owner_stays)),
    mutant!("errored-is-done" "F5" "P09" Anywhere
        "takes what failed for done when it comes again"
        "the retry after a failed handler is taken for a repetition"
        Around(systems::errored_is_done)),
    mutant!("cancels-at-once" "meaning" "P11" Kit
        "takes a cancellation that is scheduled for one that is done"
        "a cancellation for the period's end takes access away at once"
        Adapter(facts::cancels_at_once)),
    mutant!("forgets-moved-fields" "meaning" "P11" Kit
        "doesn't find the period"
        "the period moved in a new API version and is silently unset"
        Adapter(facts::forgets_moved_fields)),
    mutant!("refund-per-event" "F6" "P14" Kit
        "takes each event about a refund for a refund"
        "one fact in two events is counted twice"
        Adapter(facts::refund_per_event)),
    mutant!("attempts-overwrite" "meaning" "P14" Kit
        "keeps one payment for each subscription"
        "the second attempt to pay overwrites the first"
        Adapter(facts::attempts_overwrite)),
    mutant!("delivers-before-paid" "meaning" "P14" Kit
        "takes a pending payment for paid"
        "the cart is completed while the payment is processing"
        Adapter(facts::delivers_before_paid)),
    mutant!("ignores-deletion" "F4" "P14" Kit
        "keeps who was deleted"
        "a deleted customer is not marked"
        Adapter(facts::ignores_deletion)),
    mutant!("traces-ids" "redaction" "P15" Anywhere
        "logs which objects it reads about"
        "customers' ids in the logs"
        Adapter(declarations::traces_ids)),
    mutant!("failed-is-done" "F5" "P17" Anywhere
        "takes what it couldn't read for done when it comes again"
        "a run that failed is counted as a success"
        Around(systems::failed_is_done)),
    mutant!("fails-together" "batches" "P17" Anywhere
        "refuses a batch for one body that it can't read"
        "one bad row holds up the whole sync"
        Around(systems::fails_together)),
    mutant!("takes-parked-for-done" "F5" "P18" Kit
        "marks as processed what still waits"
        "the event of an unknown customer is marked as processed"
        InStore(inbox::takes_parked_for_done)),
    mutant!("compares-bytes" "conflict" "P19" Kit
        "takes the same event in other bytes for a contradiction"
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
        "names an event by its JSON, not by its bytes"
        "two events fall together, and one is lost"
        Adapter(declarations::digests_what_it_parsed)),
    mutant!("takes-any-mode" "capability" "P20" Kit
        "takes live events at an endpoint for test events"
        "test events change live data"
        Adapter(declarations::takes_any_mode)),
    mutant!("forgets-the-mode" "capability" "P20" Kit
        "takes every event for a test"
        "test events change live data"
        Adapter(declarations::forgets_the_mode)),
    mutant!("hides-modes" "capability" "P20" Kit
        "doesn't declare that events say their mode"
        ""
        Adapter(|it| declarations::hides(it, Capability::ModeInEvent))),
    mutant!("boasts-of-modes" "capability" "P20" Undeclared
        "declares modes that events don't say"
        ""
        Adapter(|it| declarations::boasts(it, Capability::ModeInEvent))),
    mutant!("takes-all-for-live" "capability" "P20" Undeclared
        "believes another mode than was configured"
        "test events change live data"
        Adapter(declarations::takes_all_for_live)),
    mutant!("reverses-evidence" "F2" "P21" Kit
        "takes the state after a change for the one before it"
        ""
        Adapter(facts::reverses_evidence)),
    mutant!("hides-prior-states" "capability" "P21" Kit
        "doesn't declare that events bring the state before"
        ""
        Adapter(|it| declarations::hides(it, Capability::PriorStates))),
    mutant!("makes-up-prior-states" "capability" "P21" Undeclared
        "brings evidence that the event doesn't hold"
        ""
        Adapter(facts::makes_up_priors)),
    mutant!("hides-the-time" "capability" "P22" Kit
        "doesn't declare that a time is signed, so that nobody asks for its check"
        ""
        Adapter(|it| declarations::hides(it, Capability::SignedTime))),
    mutant!("boasts-of-times" "capability" "P22" Undeclared
        "declares a time that is not signed"
        ""
        Adapter(|it| declarations::boasts(it, Capability::SignedTime))),
    mutant!("forgets-the-account" "source" "P23" Kit
        "keeps all accounts as one"
        "two accounts share one table"
        Adapter(declarations::forgets_the_account)),
    mutant!("forgets-the-provider" "source" "P23" Kit
        "keeps all providers as one"
        "two providers cannot share the tables"
        Adapter(declarations::forgets_the_provider)),
    mutant!("one-inbox-for-all" "source" "P23" Kit
        "finds events by their id alone"
        "event ids are unique without the provider"
        InStore(inbox::one_inbox_for_all)),
    mutant!("takes-customers-for-owners" "source" "P24" Kit
        "takes a provider's id of a customer for the application's"
        "a user whose id is a number sees a stranger's subscription"
        Adapter(facts::takes_customers_for_owners)),
    mutant!("believes-old-copies" "owner" "P25" Kit
        "believes a copy of metadata as if it were new"
        "an old invoice is paid, and the workspace goes back to its old owner"
        Adapter(facts::believes_old_copies)),
    mutant!("reads-new-shapes-only" "reading" "P26" Kit
        "doesn't look where older API versions keep a field"
        "a field that moved is silently unset"
        Adapter(adapters::reads_new_shapes_only)),
    mutant!("begins-in-1970" "meaning" "P27" Kit
        "takes every subscription for one that always was"
        ""
        Adapter(facts::begins_in_1970)),
    mutant!("reads-strictly" "reading" "P28" Anywhere
        "takes a body for no JSON when its parser can't hold all of it"
        ""
        Adapter(adapters::reads_strictly)),
    mutant!("forgets-reasons" "store" "S06" Anywhere
        "keeps no reason of an event that is done"
        ""
        InStore(stores::forgets_reasons)),
    mutant!("shrugs-at-strangers" "replay" "P29" Anywhere
        "ignores events of an account or a mode that it doesn't serve"
        "a replay by the other service takes access away"
        Adapter(declarations::shrugs_at_strangers)),
    mutant!("takes-strangers-for-broken" "queue" "P30" Anywhere
        "takes an event of an account or a mode that it doesn't serve for a broken one"
        "two services on one database make dead letters of each other's events"
        Adapter(declarations::takes_strangers_for_broken)),
    mutant!("counts-what-comes-back" "queue" "P30" Anywhere
        "counts an attempt for an event that is given back"
        ""
        InStore(stores::counts_what_comes_back)),
    mutant!("finds-anything" "store" "S15" Anywhere
        "looks at no public id when it is asked for one"
        ""
        InStore(stores::finds_anything)),
    mutant!("forgets-keys" "store" "S16" Anywhere
        "keeps no idempotency keys"
        "a client that tries again after a time-out is charged twice"
        InStore(keys::forgets)),
    mutant!("keeps-the-last-key" "store" "S16" Anywhere
        "lets a later answer to an idempotency key take the place of an earlier one"
        "two requests at once under one key are both carried out"
        InStore(keys::keeps_the_last)),
    mutant!("mixes-scopes" "store" "S16" Anywhere
        "takes the same idempotency key in two scopes for one"
        "one API client gets the answer to another's request"
        InStore(keys::mixes_scopes)),
    mutant!("releases-the-first" "store" "S17" Anywhere
        "takes a parked event for done when the first of its subjects has an owner"
        ""
        InStore(promises::releases_the_first)),
    mutant!("keeps-old-pending-owners" "store" "S18" Anywhere
        "never clears whom a subject waits for"
        ""
        InStore(promises::keeps_old_waits)),
    mutant!("keeps-later-transitions" "store" "S19" Anywhere
        "leaves transitions of a later instant beside the new ones"
        "a late webhook leaves two renewals in the history"
        InStore(promises::keeps_later_transitions)),
    mutant!("mixes-histories" "store" "S19" Anywhere
        "lists the transitions of every object when it is asked for one's"
        ""
        InStore(promises::mixes_histories)),
    mutant!("orders-by-the-first-key" "store" "S20" Anywhere
        "orders facts by the first key of their version alone"
        ""
        InStore(promises::orders_by_the_first_key)),
    mutant!("keeps-what-was-read" "store" "S20" Anywhere
        "keeps what an earlier reading found when an event is read again"
        ""
        InStore(promises::keeps_what_was_read)),
    mutant!("lists-backwards" "store" "S21" Anywhere
        "lists events from the last to the first"
        "a replay runs backwards"
        InStore(promises::lists_backwards)),
    mutant!("repeats-the-last" "store" "S21" Anywhere
        "begins a page with the last event of the page before"
        ""
        InStore(promises::repeats_the_last)),
    mutant!("lists-without-end" "store" "S21" Anywhere
        "lists events that were received after the time that was asked about"
        ""
        InStore(promises::lists_without_end)),
    mutant!("lists-conflicts-unasked" "store" "S22" Anywhere
        "lists bodies in conflict among the events"
        ""
        InStore(promises::lists_conflicts_unasked)),
    mutant!("mixes-conflicts" "store" "S22" Anywhere
        "lists every body in conflict when it is asked for one event's"
        ""
        InStore(promises::mixes_conflicts)),
    mutant!("forgets-conflicts" "store" "S22" Anywhere
        "keeps no body in conflict"
        ""
        InStore(promises::forgets_conflicts)),
    mutant!("moves-anything" "store" "S23" Anywhere
        "moves an event on whatever its status is"
        "a slow worker undoes what a faster one did"
        InStore(promises::moves_anything)),
    mutant!("lists-anybodys" "store" "S24" Anywhere
        "lists everybody's subjects when it is asked for one owner's"
        ""
        InStore(promises::lists_anybodys)),
    mutant!("mixes-customers-of-sources" "store" "S24" Anywhere
        "takes customers of two sources with one id for one"
        "customer 5551 of one provider sees what customer 5551 of another bought"
        InStore(promises::mixes_customers_of_sources)),
    mutant!("knows-it-since-today" "store" "S25" Anywhere
        "keeps a fact with the time of the last commit that brought it"
        "after a replay nobody can say what was known last month"
        InStore(promises::knows_it_since_today)),
    mutant!("misspells-a-statement" "store" "S07" Anywhere
        "has a statement that no database understands"
        ""
        InStatement),
];
