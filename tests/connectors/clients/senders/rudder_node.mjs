// Sends as a shop's server does with @rudderstack/rudder-sdk-node, which calls its gzip a form.
import module from "@rudderstack/rudder-sdk-node";

const RudderAnalytics = module.default ?? module;
const client = new RudderAnalytics("wk_rudder", { dataPlaneUrl: process.argv[2], gzip: process.argv[3] === "gzip" });
client.identify({ userId: "97980", traits: { email: "Sam@Example.com" } });
client.track({ userId: "97980", event: "Product Added",
  properties: { sku: "dress-36", price: 19.95, quantity: 2, cart_id: "c-1" } });
client.page({ anonymousId: "a-1", name: "Home", properties: { url: "https://shop.example/?utm_source=mail&token=1" } });
client.alias({ userId: "97980", previousId: "a-1" });
await new Promise((done) => client.flush((fault) => { if (fault) { console.error(fault); process.exitCode = 1; } done(); }));
process.exit();
