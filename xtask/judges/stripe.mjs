// The official SDK of Stripe walks through every call that the emulator has.

import Stripe from "stripe";

import { refused, same, walk } from "./walk.mjs";

const SECRET = "whsec_emulated_secret_of_the_walk";
const VERSION = "2026-05-27.dahlia";
const DAY = 24 * 3600;

async function steps({ address, step, control }) {
  const { hostname, port } = new URL(address);
  const options = { apiVersion: VERSION, host: hostname, port, protocol: "http", telemetry: false };
  const stripe = new Stripe("sk_test_walk", { ...options, maxNetworkRetries: 0 });
  const act = (name, body) => control("POST", "acts", { act: name, ...body });
  const advance = (seconds, until) => control("POST", "clock", { seconds, until });

  const product = await step("products.create", () => stripe.products.create({ id: "pro", name: "Pro" }));
  await step("products.update", () => stripe.products.update("pro", { description: "All of it" }));
  await step("products.retrieve", async () => same((await stripe.products.retrieve("pro")).name, "Pro", "name"));
  await step("products.list", async () => same((await stripe.products.list()).data.length, 1, "products"));
  const monthly = await step("prices.create", () =>
    stripe.prices.create({
      product: product.id,
      currency: "eur",
      unit_amount: 1000,
      recurring: { interval: "month" },
      lookup_key: "pro:monthly",
    }),
  );
  const once = await step("prices.create, once", () =>
    stripe.prices.create({ product: product.id, currency: "eur", unit_amount: 4900 }),
  );
  await step("prices.update", () => stripe.prices.update(once.id, { nickname: "once" }));
  await step("prices.retrieve", async () => same((await stripe.prices.retrieve(once.id)).unit_amount, 4900, "amount"));
  await step("prices.list by lookup key", async () => {
    const found = await stripe.prices.list({ lookup_keys: ["pro:monthly"] });
    same(found.data.map((it) => it.id), [monthly.id], "prices");
  });

  const customer = await step("customers.create", () =>
    stripe.customers.create({ email: "walk@example.com", metadata: { purchase_customer_id: "user-1" } }),
  );
  await step("customers.update", () => stripe.customers.update(customer.id, { name: "A Walker" }));
  await step("customers.retrieve", async () =>
    same((await stripe.customers.retrieve(customer.id)).name, "A Walker", "name"),
  );
  await step("customers.list with pages", async () => {
    for (let number = 0; number < 12; number++) await stripe.customers.create({ email: `${number}@example.com` });
    let seen = 0;
    for await (const one of stripe.customers.list({ limit: 5 })) seen += one.object === "customer" ? 1 : 0;
    same(seen, 13, "customers");
  });
  await step("customers.del", async () => {
    const gone = await stripe.customers.create({});
    same((await stripe.customers.del(gone.id)).deleted, true, "deleted");
  });

  const urls = { success_url: "https://shop.example.com/?id={CHECKOUT_SESSION_ID}", cancel_url: "https://shop.example.com" };
  const subscribe = (more) =>
    stripe.checkout.sessions.create({
      mode: "subscription",
      customer: customer.id,
      line_items: [{ price: monthly.id, quantity: 2 }],
      ...urls,
      ...more,
    });
  const session = await step("checkout.sessions.create", () => subscribe());
  await step("checkout.sessions.listLineItems", async () =>
    same((await stripe.checkout.sessions.listLineItems(session.id)).data[0].quantity, 2, "quantity"),
  );
  await step("the checkout page", async () => {
    const page = await (await fetch(session.url.replace(/^https?:\/\/[^/]*/, address))).text();
    if (!page.includes("4242")) throw new Error("the page shows no test cards");
  });
  await step("a declined card", async () => {
    const done = await act("complete_checkout", { session: session.id, method: "declined" });
    same(done.complete, false, "complete");
  });
  await step("3-D Secure", () =>
    act("complete_checkout", { session: session.id, method: "authenticates", authenticates: true }),
  );
  const paid = await step("checkout.sessions.retrieve", async () => {
    const found = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription"] });
    same([found.status, found.payment_status, found.subscription.status], ["complete", "paid", "active"], "states");
    return found;
  });
  const subscription = paid?.subscription;
  await step("checkout.sessions.list", async () => {
    const found = await stripe.checkout.sessions.list({ customer: customer.id });
    same(found.data.length, 1, "sessions");
  });
  await step("subscriptions.retrieve", () => stripe.subscriptions.retrieve(subscription.id, { expand: ["latest_invoice"] }));
  await step("subscriptions.list", async () => {
    const found = await stripe.subscriptions.list({ customer: customer.id, status: "all" });
    same(found.data.length, 1, "subscriptions");
  });
  await step("subscriptions.update, metadata", () =>
    stripe.subscriptions.update(subscription.id, { metadata: { team: "blue" } }),
  );
  await step("subscriptions.update, cancel at period end and undo", async () => {
    const canceling = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
    same([canceling.status, canceling.cancel_at_period_end], ["active", true], "scheduled");
    const undone = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
    same([undone.cancel_at, undone.canceled_at], [null, null], "undone");
  });
  await step("subscriptions.update, pause_collection", async () => {
    const paused = await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: "void" } });
    same([paused.status, paused.pause_collection.behavior], ["active", "void"], "paused");
    const again = await stripe.subscriptions.update(subscription.id, { pause_collection: "" });
    same(again.pause_collection, null, "collecting");
  });

  await step("a renewal that succeeds", async () => same((await advance(32 * DAY, "invoice.paid")).reached, true, "paid"));
  const invoices = await step("invoices.list", async () => {
    const found = await stripe.invoices.list({ subscription: subscription.id });
    same(found.data.map((it) => it.billing_reason), ["subscription_cycle", "subscription_create"], "reasons");
    return found.data;
  });
  await step("invoices.retrieve", async () => same((await stripe.invoices.retrieve(invoices[0].id)).status, "paid", "status"));
  const payment = await step("invoicePayments.list", async () => {
    const found = await stripe.invoicePayments.list({ invoice: invoices[0].id });
    return found.data[0].payment.payment_intent;
  });
  await step("invoicePayments.retrieve", async () => {
    const [first] = (await stripe.invoicePayments.list({ invoice: invoices[0].id })).data;
    same((await stripe.invoicePayments.retrieve(first.id)).status, "paid", "status");
  });
  await step("a renewal that fails, and its retries", async () => {
    await act("set_payment_methods", { customer: customer.id, decline: "insufficient_funds" });
    same((await advance(32 * DAY, "invoice.payment_failed")).reached, true, "failed");
    same((await stripe.subscriptions.retrieve(subscription.id)).status, "past_due", "status");
    await act("set_payment_methods", { customer: customer.id });
    same((await advance(8 * DAY, "invoice.paid")).reached, true, "recovered");
    same((await stripe.subscriptions.retrieve(subscription.id)).status, "active", "status");
  });
  const intent = await step("paymentIntents.retrieve", () =>
    stripe.paymentIntents.retrieve(payment, { expand: ["latest_charge"] }),
  );
  await step("paymentIntents.list", async () => {
    const found = await stripe.paymentIntents.list({ customer: customer.id });
    if (found.data.length < 3) throw new Error(`${found.data.length} payment intents`);
  });
  await step("charges.retrieve", async () => same((await stripe.charges.retrieve(intent.latest_charge.id)).paid, true, "paid"));
  await step("charges.list", () => stripe.charges.list({ payment_intent: payment }));
  await step("paymentMethods.retrieve", () => stripe.paymentMethods.retrieve(intent.payment_method));

  await step("idempotency keys", async () => {
    const key = { idempotencyKey: "refund-1" };
    const first = await stripe.refunds.create({ payment_intent: payment, amount: 500 }, key);
    const again = await stripe.refunds.create({ payment_intent: payment, amount: 500 }, key);
    same(again.id, first.id, "refund");
    same(again.lastResponse.headers["idempotent-replayed"], "true", "replayed");
    const error = await refused(() => stripe.refunds.create({ payment_intent: payment, amount: 1 }, key), "another content");
    same(error.type, "StripeIdempotencyError", "type");
    await control("POST", "clock", { seconds: DAY + 1 });
    const forgotten = await stripe.refunds.create({ payment_intent: payment, amount: 500 }, key);
    if (forgotten.id === first.id) throw new Error("the key was remembered for more than a day");
  });
  const refund = await step("refunds.list", async () => (await stripe.refunds.list({ payment_intent: payment })).data[0]);
  await step("refunds.retrieve", async () => same((await stripe.refunds.retrieve(refund.id)).amount, 500, "amount"));
  await step("refunds.update", () => stripe.refunds.update(refund.id, { metadata: { why: "walk" } }));
  await step("a refund that fails later", async () => {
    await act("settle_refund", { refund: refund.id, succeeds: false });
    same((await stripe.refunds.retrieve(refund.id)).status, "failed", "status");
  });

  const bought = await step("a purchase with a delayed method", async () => {
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      customer: customer.id,
      line_items: [{ price: once.id, quantity: 1 }],
      ...urls,
    });
    await act("complete_checkout", { session: session.id, method: "debit" });
    same((await stripe.checkout.sessions.retrieve(session.id)).payment_status, "unpaid", "at first");
    const { payment_intent } = await stripe.checkout.sessions.retrieve(session.id);
    await act("settle_debit", { payment_intent, succeeds: true });
    same((await stripe.checkout.sessions.retrieve(session.id)).payment_status, "paid", "at last");
    return payment_intent;
  });
  await step("disputes: open, list, retrieve, won", async () => {
    await act("open_dispute", { payment_intent: bought });
    const [dispute] = (await stripe.disputes.list({ payment_intent: bought })).data;
    same(dispute.status, "needs_response", "status");
    await act("close_dispute", { dispute: dispute.id, outcome: "won" });
    same((await stripe.disputes.retrieve(dispute.id)).status, "won", "status");
  });
  await step("checkout.sessions.expire", async () => {
    const open = await subscribe({ subscription_data: { trial_period_days: 14 } });
    same((await stripe.checkout.sessions.expire(open.id)).status, "expired", "status");
  });
  await step("billingPortal.sessions.create", async () => {
    const portal = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: "https://shop.example.com" });
    const page = await (await fetch(portal.url.replace(/^https?:\/\/[^/]*/, address))).text();
    if (!page.includes("<form")) throw new Error("the portal has no form");
  });
  await step("subscriptions.cancel", async () =>
    same((await stripe.subscriptions.cancel(subscription.id)).status, "canceled", "status"),
  );

  await step("events.list and retrieve", async () => {
    const found = await stripe.events.list({ type: "customer.subscription.deleted" });
    same(found.data.length, 1, "events");
    same((await stripe.events.retrieve(found.data[0].id)).data.object.status, "canceled", "status");
  });
  await step("what isn't emulated says so", async () => {
    const error = await refused(() => stripe.coupons.list(), "a call that isn't emulated");
    same([error.statusCode, error.code], [501, "not_emulated"], "error");
  });
  await step("errors are Stripe's", async () => {
    const missing = await refused(() => stripe.customers.retrieve("cus_missing"), "a missing customer");
    same([missing.type, missing.code, missing.statusCode], ["StripeInvalidRequestError", "resource_missing", 404], "missing");
    const unknown = await refused(() => stripe.customers.create({ shoe_size: 44 }), "an unknown parameter");
    same([unknown.code, unknown.param], ["parameter_unknown", "shoe_size"], "unknown");
    const key = new Stripe("nonsense", options);
    same((await refused(() => key.customers.list(), "a wrong key")).type, "StripeAuthenticationError", "key");
  });
  await step("failures on purpose", async () => {
    const plan = (failure, times) => control("POST", "failures", { failure, path: "/v1/customers", times });
    await plan("rate_limited", 1);
    same((await refused(() => stripe.customers.list(), "429")).type, "StripeRateLimitError", "429");
    // The SDK itself tries once more when a connection ends.
    await plan("answer_lost", 2);
    const key = { idempotencyKey: "lost" };
    same((await refused(() => stripe.customers.create({ name: "Lost" }, key), "lost")).type, "StripeConnectionError", "lost");
    const again = await stripe.customers.create({ name: "Lost" }, key);
    same(again.lastResponse.headers["idempotent-replayed"], "true", "it took effect");
  });
}

await walk({
  program: process.argv[2],
  secret: SECRET,
  steps,
  judge: async (body, headers) => {
    const event = Stripe.webhooks.constructEvent(body, headers["stripe-signature"], SECRET);
    if (event.api_version !== VERSION) throw new Error(`${event.type} is of version ${event.api_version}`);
    return event.type;
  },
});
