// Sends as a shop's page does with @snowplow/browser-tracker and its ecommerce plugin.
import { newTracker, setUserId, trackPageView, trackStructEvent } from "@snowplow/browser-tracker";
import { SnowplowEcommercePlugin, trackAddToCart } from "@snowplow/browser-plugin-snowplow-ecommerce";

newTracker("sp1", window.GATEWAY, { appId: "shop", plugins: [SnowplowEcommercePlugin()] });
setUserId("97980");
trackPageView();
trackStructEvent({ category: "video", action: "play", value: 1.5 });
trackAddToCart({
  products: [{ id: "dress-36", category: "dresses", price: 19.95, currency: "EUR", quantity: 2 }],
  cart_id: "c-1", total_value: 39.9, currency: "EUR",
});
// It tries what failed again when something else happens.
setTimeout(() => trackStructEvent({ category: "video", action: "stop" }), 5_000);
