// Sends as a shop's page does with @segment/analytics-next, which sends many calls at once.
import { AnalyticsBrowser } from "@segment/analytics-next";

const strategy = { strategy: "batching", config: { size: 10, timeout: 1_000 } };
const integrations = { "Segment.io": { deliveryStrategy: strategy } };
const client = AnalyticsBrowser.load({ writeKey: "wk_segment", cdnURL: window.GATEWAY }, { integrations });
client.page();
client.identify("97980", { email: "Sam@Example.com", plan: null });
client.track("Product Added", { sku: "dress-36", price: 19.95, quantity: 2, cart_id: "c-1" });
client.group("g-1", { name: "Initech" });
client.alias("97980-b", "97980");
