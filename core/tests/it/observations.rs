//! Tests what the observations of one object settle to: ties that no evidence settles, ends, and fields that an
//! observation doesn't contain. Each expectation is a sentence of the design about order, ties and monotone facts.

use purchase_core::{
    fact::{
        Fact, Observation,
        Phase::{self, Changed, Created, Ended},
        Version,
        history::Settled,
        object_state::{
            Charge, ChargeState, Checkout, CheckoutMode, CheckoutState, Credit, CreditState, Customer, Dispute,
            DisputeState, Invoice, InvoiceState, Item, ObjectState, Payment, PaymentState, Period, Price, Private,
            Product, Refund, RefundState, Schedule, ScheduleState, Subscription, SubscriptionStatus,
        },
    },
    fold::SubjectState,
    id::{Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    time::Timestamp,
};

fn id(text: impl Into<String>) -> ProviderId {
    ProviderId::new(text.into()).expect("id")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::new("EUR").expect("EUR")).expect("in range")
}

fn charge(state: ChargeState, refunded: i64) -> ObjectState {
    ObjectState::Charge(Charge {
        state,
        amount: money(9),
        captured: None,
        refunded: money(refunded),
        may_count_release: false,
    })
}

fn checkout(state: CheckoutState) -> ObjectState {
    ObjectState::Checkout(Checkout { state, mode: CheckoutMode::Payment })
}

fn credit(state: CreditState) -> ObjectState {
    ObjectState::Credit(Credit { state, amount: money(9) })
}

fn dispute(state: DisputeState) -> ObjectState {
    ObjectState::Dispute(Dispute { state, amount: money(9) })
}

fn payment(state: PaymentState, step: u8) -> ObjectState {
    ObjectState::Payment(Payment { step, ..Payment::new(state, money(9)) })
}

fn refund(state: RefundState) -> ObjectState {
    ObjectState::Refund(Refund::new(state, money(9)))
}

fn schedule(state: ScheduleState) -> ObjectState {
    ObjectState::Schedule(Schedule { state })
}

fn invoice(state: InvoiceState, change: impl FnOnce(&mut Invoice)) -> ObjectState {
    let mut it = Invoice::new(state, money(9));
    change(&mut it);
    ObjectState::Invoice(it)
}

fn subscription(status: SubscriptionStatus, quantity: u64, change: impl FnOnce(&mut Subscription)) -> ObjectState {
    let mut it = Subscription::new(status, format!("{status:?}"));
    it.items.push(Item { price: id("price"), quantity: Some(quantity) });
    change(&mut it);
    ObjectState::Subscription(Box::new(it))
}

fn customer(email: Option<&str>, deleted: bool) -> ObjectState {
    let email = email.map(Private::new);
    ObjectState::Customer(Customer { bare: email.is_none(), email, name: None, deleted, archived: false })
}

fn product(name: Option<&str>, deleted: bool) -> ObjectState {
    let name = name.map(str::to_owned);
    ObjectState::Product(Product { bare: name.is_none(), name, active: !deleted, deleted })
}

fn price(unit_amount: Option<i64>, deleted: bool) -> ObjectState {
    let unit_amount = unit_amount.map(money);
    ObjectState::Price(Price { bare: unit_amount.is_none(), unit_amount, active: !deleted, interval: None, deleted })
}

/// The second, the phase of the object's life, and the state.
type Shot = (i64, Phase, ObjectState);

/// The result of observations of one object. The ids of their events rise or fall; the expectation must hold for both.
fn settled(shots: &[Shot], rising: bool) -> Settled {
    let source = Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test };
    let object = ObjectRef::new(shots[0].2.kind(), id("object"));
    let subject = Subject { source, root: object.clone() };
    let facts = shots.iter().zip(10..).map(|((second, phase, object_state), place)| Fact {
        subject: subject.clone(),
        event: id(format!("e{}", if rising { place } else { 99 - place })),
        version: Version::at(at(*second)),
        observation: Some(Observation {
            object: object.clone(),
            phase: *phase,
            object_state: object_state.clone(),
            prior: None,
        }),
        links: Vec::new(),
    });
    let (state, _) = SubjectState::fold(&subject, &facts.collect::<Vec<_>>());
    let (_, settled) = state.objects().next().expect("an object");
    settled
}

/// Checks the final state, and whether it contradicts an end.
#[track_caller]
fn check(shots: &[Shot], shown: &ObjectState, contradicted: bool) {
    for rising in [true, false] {
        let settled = settled(shots, rising);
        assert_eq!(settled.shown(), shown, "{shots:?}");
        assert_eq!((settled.contradicted, settled.ambiguous), (contradicted, false), "{shots:?}");
    }
}

/// Checks states in the order of an object's life: of any two at one instant, the later in this order wins.
#[track_caller]
fn lives(states: &[ObjectState]) {
    for (place, earlier) in states.iter().enumerate() {
        for later in &states[place + 1..] {
            check(&[(1, Changed, earlier.clone()), (1, Changed, later.clone())], later, false);
            check(&[(1, Changed, later.clone()), (1, Changed, earlier.clone())], later, false);
        }
    }
}

#[test]
fn a_tie_without_evidence_goes_by_the_phase_first() {
    let (draft, open) = (invoice(InvoiceState::Draft, |_| ()), invoice(InvoiceState::Open, |it| it.attempts = 3));
    check(&[(1, Created, open.clone()), (1, Changed, draft.clone())], &draft, false);
    check(&[(1, Changed, open.clone()), (1, Ended, draft.clone())], &draft, false);
    // A state that is observed again later in the same instant counts at its last observation.
    check(&[(1, Created, open.clone()), (1, Changed, draft), (1, Changed, open.clone())], &open, false);
}

#[test]
fn a_tie_without_evidence_goes_by_the_progress_of_the_state() {
    use SubscriptionStatus::{Active, Canceled, Pending, Trialing};
    lives(&[Pending, Trialing, Active, Canceled].map(|status| subscription(status, 1, |_| ())));
    use InvoiceState::{Draft, Open, Paid, Uncollectible, Void};
    lives(&[Draft, Open, Uncollectible, Paid].map(|state| invoice(state, |_| ())));
    lives(&[Draft, Open, Uncollectible, Void].map(|state| invoice(state, |_| ())));
    lives(&[invoice(Draft, |_| ()), invoice(Draft, |it| it.deleted = true)]);
    use PaymentState::{Authorized, Failed, Processing, Succeeded};
    lives(&[PaymentState::Pending, Processing, Failed, Authorized, Succeeded].map(|state| payment(state, 0)));
    lives(&[CheckoutState::Open, CheckoutState::Completed, CheckoutState::Failed, CheckoutState::Paid].map(checkout));
    lives(&[CheckoutState::Open, CheckoutState::Expired].map(checkout));
    lives(
        &[RefundState::Pending, RefundState::RequiresAction, RefundState::Succeeded, RefundState::Failed].map(refund),
    );
    lives(&[DisputeState::Inquiry, DisputeState::Open, DisputeState::Won].map(dispute));
    lives(&[DisputeState::Inquiry, DisputeState::Open, DisputeState::Lost].map(dispute));
    lives(&[CreditState::Pending, CreditState::Issued, CreditState::Reversed].map(credit));
    lives(&[ChargeState::Pending, ChargeState::Succeeded].map(|state| charge(state, 0)));
    lives(&[ScheduleState::NotStarted, ScheduleState::Active, ScheduleState::Completed].map(schedule));
}

#[test]
fn equal_progress_goes_by_what_only_grows() {
    let open = |change: fn(&mut Invoice)| invoice(InvoiceState::Open, change);
    lives(&[open(|_| ()), open(|it| it.attempts = 1), open(|it| it.attempts = 2)]);
    lives(&[open(|it| it.attempts = 2), open(|it| it.amount_paid = money(1)), open(|it| it.amount_paid = money(2))]);
    lives(&[open(|it| it.finalized_at = Some(at(1))), open(|it| it.finalized_at = Some(at(2)))]);
    lives(&[0, 1, 2].map(|step| payment(PaymentState::Pending, step)));
    lives(&[0, 4, 9].map(|refunded| charge(ChargeState::Succeeded, refunded)));
    let until = |start, end| {
        let period = Some(Period { start: at(start), end: at(end) });
        subscription(SubscriptionStatus::Active, 1, |it| it.period = period)
    };
    lives(&[until(1, 10), until(10, 20), until(11, 20)]);
}

#[test]
fn an_ended_object_stays_ended() {
    let ended = subscription(SubscriptionStatus::Canceled, 1, |it| it.ended_at = Some(at(1)));
    let active = subscription(SubscriptionStatus::Active, 1, |_| ());
    check(&[(1, Ended, ended.clone()), (2, Changed, active.clone())], &ended, true);
    check(&[(2, Ended, ended.clone()), (1, Changed, active)], &ended, false);
    // The expiry of a checkout isn't a step towards its payment.
    let expired = checkout(CheckoutState::Expired);
    check(&[(1, Changed, expired.clone()), (2, Changed, checkout(CheckoutState::Completed))], &expired, true);
    let paid = invoice(InvoiceState::Paid, |_| ());
    check(&[(1, Changed, paid.clone()), (2, Changed, invoice(InvoiceState::Void, |_| ()))], &paid, true);
    let deleted = invoice(InvoiceState::Draft, |it| it.deleted = true);
    for newer in [InvoiceState::Draft, InvoiceState::Open, InvoiceState::Paid] {
        check(&[(1, Ended, deleted.clone()), (2, Changed, invoice(newer, |_| ()))], &deleted, true);
    }
}

#[test]
fn an_end_may_be_observed_again_and_received_money_is_not_hidden() {
    let ended = |quantity| subscription(SubscriptionStatus::Canceled, quantity, |_| ());
    check(&[(1, Ended, ended(1)), (2, Changed, ended(2))], &ended(2), false);
    let came = payment(PaymentState::Succeeded, 0);
    let shots = [(1, Changed, payment(PaymentState::Canceled, 0)), (2, Changed, came.clone())];
    assert_eq!(settled(&shots, true).shown(), &came);
}

#[test]
fn downward_steps_that_are_real_are_taken() {
    let steps = |states: [ObjectState; 2]| {
        let [from, to] = states;
        check(&[(1, Changed, from), (2, Changed, to.clone())], &to, false);
    };
    steps([RefundState::Succeeded, RefundState::Failed].map(refund));
    steps([DisputeState::Lost, DisputeState::Won].map(dispute));
    steps([InvoiceState::Uncollectible, InvoiceState::Paid].map(|state| invoice(state, |_| ())));
    steps([SubscriptionStatus::PastDue, SubscriptionStatus::Active].map(|status| subscription(status, 1, |_| ())));
}

#[test]
fn times_that_are_written_once_are_kept() {
    let open = |change: fn(&mut Invoice)| invoice(InvoiceState::Open, change);
    for told in [
        (|it| it.finalized_at = Some(at(5))) as fn(&mut Invoice),
        |it| it.paid_at = Some(at(5)),
        |it| it.voided_at = Some(at(5)),
    ] {
        check(&[(1, Changed, open(told)), (2, Changed, open(|_| ()))], &open(told), false);
        // Also if the observation that contains it loses a tie.
        let last = invoice(InvoiceState::Uncollectible, told);
        let untold = invoice(InvoiceState::Uncollectible, |_| ());
        check(&[(1, Changed, untold), (1, Changed, open(told))], &last, false);
    }
    let moved = open(|it| it.finalized_at = Some(at(7)));
    check(&[(1, Changed, open(|it| it.finalized_at = Some(at(5)))), (2, Changed, moved.clone())], &moved, false);
    let ended = |quantity, ended_at| subscription(SubscriptionStatus::Canceled, quantity, |it| it.ended_at = ended_at);
    check(&[(1, Ended, ended(1, Some(at(1)))), (2, Changed, ended(2, None))], &ended(2, Some(at(1))), false);
}

#[test]
fn a_state_that_cannot_be_read_leaves_the_one_known() {
    let known_and_unknown = [
        [CheckoutState::Completed, CheckoutState::Unknown].map(checkout),
        [CreditState::Issued, CreditState::Unknown].map(credit),
        [DisputeState::Open, DisputeState::Unknown].map(dispute),
        [InvoiceState::Open, InvoiceState::Unknown].map(|state| invoice(state, |_| ())),
        [PaymentState::Processing, PaymentState::Unknown].map(|state| payment(state, 0)),
        [RefundState::Succeeded, RefundState::Unknown].map(refund),
    ];
    for [known, unknown] in known_and_unknown {
        check(&[(1, Changed, known.clone()), (2, Changed, unknown.clone())], &known, false);
        check(&[(1, Changed, unknown.clone()), (2, Changed, known.clone())], &known, false);
        check(&[(1, Changed, unknown.clone())], &unknown, false);
    }
}

/// A status without a known meaning is one field of an observation whose other fields are clear.
#[test]
fn an_unknown_status_leaves_the_known_one_and_tells_the_rest() {
    use SubscriptionStatus::{Active, Canceled, Unknown};
    let odd = |quantity| subscription(Unknown, quantity, |it| it.provider_status = "hibernating".to_owned());
    let shown = subscription(Active, 6, |it| it.provider_status = "hibernating".to_owned());
    check(&[(1, Changed, subscription(Active, 5, |_| ())), (2, Changed, odd(6))], &shown, false);
    // It says nothing that could contradict an end.
    let ended = subscription(Canceled, 5, |_| ());
    check(&[(1, Ended, ended.clone()), (2, Changed, odd(6))], &ended, false);
}

#[test]
fn a_bare_tombstone_leaves_what_was_known() {
    let ada = Some("ada@example.com");
    check(&[(1, Created, customer(ada, false)), (2, Ended, customer(None, true))], &customer(ada, true), false);
    check(
        &[(1, Created, product(Some("Pro"), false)), (2, Ended, product(None, true))],
        &product(Some("Pro"), true),
        false,
    );
    check(&[(1, Created, price(Some(9), false)), (2, Ended, price(None, true))], &price(Some(9), true), false);
    for bare in [customer(None, true), product(None, true), price(None, true)] {
        check(&[(1, Ended, bare.clone())], &bare, false);
    }
}

/// Grace counts from when a subscription became past due, not from the last observation of it.
#[test]
fn a_state_is_as_old_as_its_first_observation_since_it_was_entered() {
    use SubscriptionStatus::{Active, PastDue};
    let status = |second, status, quantity| (second, Changed, subscription(status, quantity, |_| ()));
    let shots = [status(1, Active, 1), status(5, PastDue, 1), status(9, PastDue, 2), status(12, Active, 2)];
    let since = |shots: &[Shot]| settled(shots, true).since;
    assert_eq!([1, 2, 3, 4].map(|taken| since(&shots[..taken])), [1, 5, 5, 12].map(at));
    let paid = [(1, Changed, payment(PaymentState::Pending, 0)), (5, Changed, payment(PaymentState::Succeeded, 0))];
    assert_eq!([1, 2].map(|taken| since(&paid[..taken])), [1, 5].map(at));
}

#[test]
fn personal_data_are_shown_when_asked_for_and_never_printed() {
    let email = Private::new("ada@example.com");
    assert_eq!(email.expose(), "ada@example.com");
    assert_eq!(format!("{email:?}"), "Private(redacted)");
}

/// Data written by versions before 8 of the stores' schema is read like data written now.
#[test]
fn documents_with_the_older_keys_say_the_same() {
    let provider = ProviderName::new("acme").expect("a name");
    let source = Source { provider, account: None, mode: Mode::Test };
    let subject = Subject { source, root: ObjectRef::new(ObjectKind::Subscription, id("sub")) };
    let observation = Observation {
        object: subject.root.clone(),
        phase: Phase::Changed,
        object_state: subscription(SubscriptionStatus::Active, 2, |_| ()),
        prior: None,
    };
    let fact = Fact {
        subject: subject.clone(),
        event: id("e1"),
        version: Version::at(at(5)),
        observation: Some(observation),
        links: Vec::new(),
    };
    let older =
        |text: String| text.replace("\"observation\":", "\"sight\":").replace("\"object_state\":", "\"photo\":");
    let written = serde_json::to_string(&fact).expect("JSON");
    assert_ne!(older(written.clone()), written);
    assert_eq!(serde_json::from_str::<Fact>(&older(written)).expect("an older fact"), fact);
    let state = SubjectState::fold(&subject, &[fact]).0;
    let written = serde_json::to_string(&state).expect("JSON");
    assert_ne!(older(written.clone()), written);
    assert_eq!(serde_json::from_str::<SubjectState>(&older(written)).expect("an older state"), state);
}
