// Sends one event to the gateway: `node send_event.mjs http://127.0.0.1:8080`. Node 18 or later, nothing to install.

const event = {
  type: "StockCounted",
  meta: { source: "till-9", channel: "store", occurred_at: "2026-03-28T09:00:00Z" },
  sku: "fig",
  location_id: "haarlem",
  quantities: { available: 5 },
  as_of: "2026-03-28T09:00:00Z",
  count_id: "count-3",
};

const answer = await fetch(`${process.argv[2]}/v1/events`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(event),
});
if (answer.status === 503) throw new Error("not kept: send it again, it is the same event");
if (!answer.ok) throw new Error(await answer.text());
console.log((await answer.json()).event_id);
