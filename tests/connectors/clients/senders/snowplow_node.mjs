// Sends as a shop's server does with @snowplow/node-tracker: posted, or as pictures.
import { buildPageView, buildSelfDescribingEvent, buildStructEvent, newTracker } from "@snowplow/node-tracker";

const tracker = newTracker({ namespace: "node", appId: "shop", encodeBase64: process.argv[3] === "post" },
  { endpoint: process.argv[2], eventMethod: process.argv[3], bufferSize: 1 });
tracker.setUserId("97980");
tracker.track(buildPageView({ pageUrl: "https://shop.example/?utm_source=mail&token=1", pageTitle: "Docs" }));
tracker.track(buildStructEvent({ category: "video", action: "play", value: 1.5 }));
const schema = (name) => `iglu:com.snowplowanalytics.snowplow.ecommerce/${name}/jsonschema/1-0-0`;
tracker.track(
  buildSelfDescribingEvent({ event: { schema: schema("snowplow_ecommerce_action"), data: { type: "add_to_cart" } } }),
  [
    { schema: schema("product"), data: { id: "dress-36", category: "dresses", price: 19.95, currency: "EUR", quantity: 2 } },
    { schema: schema("cart"), data: { cart_id: "c-1", total_value: 39.9, currency: "EUR" } },
  ],
);
tracker.flush();
