// Sends as a shop's server does with @segment/analytics-node.
import { Analytics } from "@segment/analytics-node";

const client = new Analytics({ writeKey: "wk_segment", host: process.argv[2], flushAt: 3 });
client.on("error", (fault) => { console.error(fault); process.exitCode = 1; });
client.identify({ userId: "97980", traits: { email: "Sam@Example.com", plan: null } });
client.track({ userId: "97980", event: "Order Completed",
  properties: { order_id: "o-1", total: 42.5, currency: "EUR", products: [{ sku: "dress-36", price: 42.5 }] } });
client.page({ anonymousId: "a-1", name: "Home", properties: { url: "https://shop.example/?utm_source=mail&token=1" } });
client.group({ userId: "97980", groupId: "g-1", traits: { name: "Initech" } });
client.alias({ userId: "97980", previousId: "a-1" });
client.screen({ userId: "97980", name: "Home" });
await client.closeAndFlush();
