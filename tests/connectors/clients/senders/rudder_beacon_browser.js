// Sends as a shop's page does with @rudderstack/analytics-js, by beacons.
import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";

const client = new RudderAnalytics();
client.load("wk_rudder", window.GATEWAY, { configUrl: window.GATEWAY, useBeacon: true, beaconQueueOptions: { flushQueueInterval: 500 } });
client.page();
client.identify("97980", { email: "Sam@Example.com" });
client.track("Product Added", { sku: "dress-36", price: 19.95, quantity: 2, cart_id: "c-1" });
