// Sends as a shop's page does with @segment/analytics-next, which asks the gateway for its settings first.
import { AnalyticsBrowser } from "@segment/analytics-next";

const client = AnalyticsBrowser.load({ writeKey: "wk_segment", cdnURL: window.GATEWAY });
client.page();
client.identify("97980", { email: "Sam@Example.com", plan: null });
client.track("Product Added", { sku: "dress-36", price: 19.95, quantity: 2, cart_id: "c-1" });
client.group("g-1", { name: "Initech" });
client.alias("97980-b", "97980");
