import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;
import vaart.bench.VisitorCounted;
import vaart.customer.PageViewed;

/** The counting view by Kafka Streams: page views per visitor, in RocksDB with its changelog. Runs until SIGTERM. */
public final class Counting {
    private static final Duration CLOSE_MAX = Duration.ofSeconds(15);

    public static void main(String[] args) {
        KafkaStreams streams = new KafkaStreams(topology(), settings());
        CountDownLatch ended = new CountDownLatch(1);
        streams.setGlobalStateRestoreListener(new Restores());
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.ERROR) {
                Runtime.getRuntime().halt(1);
            }
        });
        // Leaving the group lets the next start begin at once, not after the session has timed out.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(CloseOptions.groupMembershipOperation(
                CloseOptions.GroupMembershipOperation.LEAVE_GROUP).withTimeout(CLOSE_MAX));
            ended.countDown();
        }));
        streams.start();
        await(ended);
    }

    private static Topology topology() {
        int id = Integer.parseInt(env("BENCH_SCHEMA_ID"));
        Serde<VisitorCounted> counted = Framed.serde(VisitorCounted.getClassSchema(), id);
        Serde<PageViewed> viewed = Framed.serde(PageViewed.getClassSchema(), 0);
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(env("BENCH_INPUT"), Consumed.with(Serdes.String(), viewed))
            .groupByKey()
            .aggregate(
                VisitorCounted::new,
                Counting::count,
                Materialized.<String, VisitorCounted, KeyValueStore<Bytes, byte[]>>as("visitors")
                    .withKeySerde(Serdes.String())
                    .withValueSerde(counted))
            .toStream()
            .to(env("BENCH_OUTPUT"), Produced.with(Serdes.String(), counted));
        return builder.build();
    }

    private static VisitorCounted count(String visitor, PageViewed viewed, VisitorCounted counted) {
        long at = viewed.getMeta().getOccurredAt();
        if (counted.getViews() == 0) {
            counted.setVisitor(visitor);
            counted.setFirstAt(at);
        }
        counted.setViews(counted.getViews() + 1);
        counted.setLastAt(Math.max(counted.getLastAt(), at));
        counted.setUpdatedAt(counted.getLastAt());
        counted.setLastPath(viewed.getPath());
        return counted;
    }

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, env("BENCH_GROUP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env("BENCH_BROKER"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, env("BENCH_STATE"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, env("BENCH_GUARANTEE"));
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, env("BENCH_CACHE_BYTES"));
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, env("BENCH_COMMIT_MS"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        settings.put(StreamsConfig.producerPrefix("linger.ms"), env("BENCH_LINGER_MS"));
        return settings;
    }

    /** Prints how many records each restore read, and when it began and ended, in milliseconds since 1970. */
    private static final class Restores implements StateRestoreListener {
        private final Map<TopicPartition, Long> began = new ConcurrentHashMap<>();

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long start, long end) {
            began.put(partition, System.currentTimeMillis());
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long count) {
            System.out.printf("restored %d %d %d%n", count, began.get(partition), System.currentTimeMillis());
        }
    }

    private static String env(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }

    private static void await(CountDownLatch ended) {
        try {
            ended.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
