// The official SDK of Paddle walks through every call that the emulator has.

import { Paddle } from "@paddle/paddle-node-sdk";

import { refused, same, walk } from "./walk.mjs";

const SECRET = "pdl_ntfset_emulated_secret_of_the_walk";
const KEY = "pdl_sdbx_apikey_01hv8gq3318ktkfengj2r75gfx_walkwalkwalkwalkwalkwa_A1b";
const DAY = 24 * 3600;

/** Reads all pages of a list. */
async function all(collection) {
  const found = [];
  for await (const one of collection) found.push(one);
  return found;
}

async function steps({ address, step, control }) {
  const paddle = new Paddle(KEY, { environment: address });
  const act = (name, body) => control("POST", "acts", { act: name, ...body });
  const advance = (seconds, until) => control("POST", "clock", { seconds, until });

  const product = await step("products.create", () => paddle.products.create({ name: "Pro", taxCategory: "standard" }));
  await step("products.update", () => paddle.products.update(product.id, { description: "All of it" }));
  await step("products.get", async () => same((await paddle.products.get(product.id)).name, "Pro", "name"));
  await step("products.list", async () => same((await all(paddle.products.list())).length, 1, "products"));
  const price = (amount, more) =>
    paddle.prices.create({
      productId: product.id,
      description: "walk",
      unitPrice: { amount, currencyCode: "EUR" },
      quantity: { minimum: 1, maximum: 10 },
      ...more,
    });
  const monthly = await step("prices.create", () => price("1000", { billingCycle: { interval: "month", frequency: 1 } }));
  const once = await step("prices.create, once", () => price("4900"));
  await step("prices.update", async () => {
    const changed = await paddle.prices.update(once.id, { unitPrice: { amount: "5900", currencyCode: "EUR" } });
    same(changed.unitPrice.amount, "5900", "a price of Paddle can change");
  });
  await step("prices.get", () => paddle.prices.get(once.id));
  await step("prices.list", async () => same((await all(paddle.prices.list({ perPage: 1 }))).length, 2, "prices"));

  const customer = await step("customers.create", () =>
    paddle.customers.create({ email: "walk@example.com", customData: { purchase_customer_id: "user-1" } }),
  );
  await step("customers.create, the same e-mail", async () => {
    const error = await refused(() => paddle.customers.create({ email: "walk@example.com" }), "a second customer");
    same(error.code, "customer_already_exists", "code");
    if (!error.detail.includes(customer.id)) throw new Error(`the error doesn't name the customer: ${error.detail}`);
  });
  await step("customers.update", () => paddle.customers.update(customer.id, { name: "A Walker" }));
  await step("customers.get", async () => same((await paddle.customers.get(customer.id)).name, "A Walker", "name"));
  await step("customers.list", async () => same((await all(paddle.customers.list())).length, 1, "customers"));
  const home = await step("addresses.create", () => paddle.addresses.create(customer.id, { countryCode: "DE" }));
  await step("addresses.update", () => paddle.addresses.update(customer.id, home.id, { city: "Berlin" }));
  await step("addresses.get", async () => same((await paddle.addresses.get(customer.id, home.id)).city, "Berlin", "city"));
  await step("addresses.list", async () => same((await all(paddle.addresses.list(customer.id))).length, 1, "addresses"));

  const sale = (priceId, quantity) =>
    paddle.transactions.create({ items: [{ priceId, quantity }], customerId: customer.id, addressId: home.id });
  const transaction = await step("transactions.create", () => sale(monthly.id, 2));
  await step("the checkout page", async () => {
    const page = await (await fetch(transaction.checkout.url.replace(/^https?:\/\/[^/]*/, address))).text();
    if (!page.includes("<form")) throw new Error("the page has no form");
  });
  await step("a declined card", async () => {
    await act("checkout", { transaction: transaction.id, buyer: { card: "declined" } });
    same((await paddle.transactions.get(transaction.id)).status, "ready", "status");
  });
  await step("a card that works", () => act("checkout", { transaction: transaction.id, buyer: { card: "success" } }));
  const paid = await step("transactions.get", async () => {
    const found = await paddle.transactions.get(transaction.id);
    same(found.status, "completed", "status");
    return found;
  });
  await step("transactions.list", async () =>
    same((await all(paddle.transactions.list({ customerId: [customer.id] }))).length, 1, "transactions"),
  );
  await step("transactions.update, canceled", async () => {
    const open = await sale(once.id, 1);
    same((await paddle.transactions.update(open.id, { status: "canceled" })).status, "canceled", "status");
  });
  const id = paid?.subscriptionId;
  await step("subscriptions.get", async () => same((await paddle.subscriptions.get(id)).status, "active", "status"));
  await step("subscriptions.list", async () => same((await all(paddle.subscriptions.list())).length, 1, "subscriptions"));
  await step("subscriptions.update, custom data", () => paddle.subscriptions.update(id, { customData: { team: "blue" } }));

  await step("a renewal that succeeds", async () =>
    same((await advance(32 * DAY, "transaction.completed")).reached, true, "completed"),
  );
  await step("a renewal that fails, and recovers", async () => {
    await act("card", { customer: customer.id, works: false });
    same((await advance(32 * DAY, "subscription.past_due")).reached, true, "past due");
    same((await paddle.subscriptions.get(id)).status, "past_due", "status");
    await act("card", { customer: customer.id, works: true });
    await act("retry", { subscription: id });
    same((await paddle.subscriptions.get(id)).status, "active", "status");
  });
  await step("subscriptions.pause at the period's end, locked, undone", async () => {
    const paused = await paddle.subscriptions.pause(id, { effectiveFrom: "next_billing_period" });
    same([paused.status, paused.scheduledChange.action], ["active", "pause"], "scheduled");
    await refused(() => paddle.subscriptions.cancel(id, { effectiveFrom: "next_billing_period" }), "a second change");
    same((await paddle.subscriptions.update(id, { scheduledChange: null })).scheduledChange, null, "undone");
  });
  await step("subscriptions.pause and resume", async () => {
    same((await paddle.subscriptions.pause(id, { effectiveFrom: "immediately" })).status, "paused", "status");
    same((await paddle.subscriptions.resume(id, { effectiveFrom: "immediately" })).status, "active", "status");
  });

  const refund = await step("adjustments.create", () =>
    paddle.adjustments.create({ action: "refund", type: "full", transactionId: paid.id, reason: "walk" }),
  );
  await step("a pending refund blocks another one", () =>
    refused(
      () => paddle.adjustments.create({ action: "refund", type: "full", transactionId: paid.id, reason: "again" }),
      "a second refund",
    ),
  );
  await step("adjustments.list, approved after ten minutes", async () => {
    same(refund.status, "pending_approval", "at first");
    await advance(601);
    const [found] = await all(paddle.adjustments.list({ id: [refund.id] }));
    same(found.status, "approved", "at last");
  });
  await step("a partial refund by item, rejected", async () => {
    const sold = await sale(once.id, 1);
    await act("checkout", { transaction: sold.id, buyer: { card: "success" } });
    const { details } = await paddle.transactions.get(sold.id);
    const part = await paddle.adjustments.create({
      action: "refund",
      type: "partial",
      transactionId: sold.id,
      reason: "walk",
      items: [{ itemId: details.lineItems[0].id, type: "partial", amount: "100" }],
    });
    await act("reject_refund", { adjustment: part.id });
    const [found] = await all(paddle.adjustments.list({ id: [part.id] }));
    same(found.status, "rejected", "status");
    await act("chargeback", { transaction: sold.id });
  });
  await step("customerPortalSessions.create", async () => {
    const portal = await paddle.customerPortalSessions.create(customer.id, [id]);
    const page = await (await fetch(portal.urls.general.overview.replace(/^https?:\/\/[^/]*/, address))).text();
    if (!page.includes("<form")) throw new Error("the portal has no form");
  });
  await step("subscriptions.cancel", async () =>
    same((await paddle.subscriptions.cancel(id, { effectiveFrom: "immediately" })).status, "canceled", "status"),
  );

  await step("eventTypes.list", async () => {
    if ((await paddle.eventTypes.list()).length < 40) throw new Error("too few types");
  });
  await step("events.list", async () => {
    const found = await all(paddle.events.list({ perPage: 10 }));
    if (!found.some((it) => it.eventType === "subscription.canceled")) throw new Error("an event is missing");
  });
  await step("notifications.list, get, logs, replay", async () => {
    await new Promise((done) => setTimeout(done, 500));
    const [first] = await all(paddle.notifications.list({ perPage: 200 }));
    same((await paddle.notifications.get(first.id)).id, first.id, "id");
    await all(paddle.notifications.getLogs(first.id));
    const again = await paddle.notifications.replay(first.id);
    if (!again || again === first.id) throw new Error("a replay is a new notification");
  });
  await step("what isn't emulated says so", async () => {
    const error = await refused(() => all(paddle.discounts.list()), "a call that isn't emulated");
    same(error.code, "not_emulated", "code");
  });
  await step("errors are Paddle's", async () => {
    const missing = await refused(() => paddle.customers.get("ctm_01hv6y1jedq4p1n0yqn5ba3ky4"), "a missing customer");
    same([missing.type, missing.code], ["request_error", "not_found"], "missing");
    const wrong = await refused(() => new Paddle("", { environment: address }).products.get(product.id), "no key");
    same(wrong.code, "authentication_malformed", "key");
  });
  await step("failures on purpose", async () => {
    await control("POST", "failures", { failure: "rate_limited", path: "/customers" });
    same((await refused(() => paddle.customers.get(customer.id), "429")).code, "too_many_requests", "429");
    await control("POST", "failures", { failure: "answer_lost", path: "/products" });
    await refused(() => paddle.products.create({ name: "Lost", taxCategory: "standard" }), "a lost answer");
    const found = await all(paddle.products.list());
    same(found.filter((it) => it.name === "Lost").length, 1, "it took effect");
  });
}

await walk({
  program: process.argv[2],
  secret: SECRET,
  steps,
  judge: async (body, headers) => {
    const paddle = new Paddle("unused");
    const event = await paddle.webhooks.unmarshal(body.toString(), SECRET, headers["paddle-signature"]);
    if (!event) throw new Error("the SDK knows no such event");
    return event.eventType;
  },
});
