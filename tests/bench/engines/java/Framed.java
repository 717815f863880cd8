import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/** Avro by the plain Apache library behind a registry's frame: a zero byte and the schema's id. One thread only. */
final class Framed<T extends SpecificRecord> implements Serializer<T>, Deserializer<T> {
    private static final int FRAME_BYTES = 5;

    private final byte[] frame;
    private final SpecificDatumReader<T> reader;
    private final SpecificDatumWriter<T> writer;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream(256);
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;

    static <T extends SpecificRecord> Serde<T> serde(Schema schema, int id) {
        Framed<T> framed = new Framed<>(schema, id);
        return Serdes.serdeFrom(framed, framed);
    }

    private Framed(Schema schema, int id) {
        frame = ByteBuffer.allocate(FRAME_BYTES).put((byte) 0).putInt(id).array();
        reader = new SpecificDatumReader<>(schema);
        writer = new SpecificDatumWriter<>(schema);
    }

    @Override
    public T deserialize(String topic, byte[] bytes) {
        if (bytes == null) {
            return null;
        }
        decoder = DecoderFactory.get().binaryDecoder(bytes, FRAME_BYTES, bytes.length - FRAME_BYTES, decoder);
        try {
            return reader.read(null, decoder);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public byte[] serialize(String topic, T record) {
        if (record == null) {
            return null;
        }
        written.reset();
        written.write(frame, 0, FRAME_BYTES);
        encoder = EncoderFactory.get().binaryEncoder(written, encoder);
        try {
            writer.write(record, encoder);
            encoder.flush();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return written.toByteArray();
    }

    @Override
    public void close() {}

    @Override
    public void configure(java.util.Map<String, ?> settings, boolean isKey) {}
}
