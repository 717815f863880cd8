import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import org.apache.avro.compiler.specific.SpecificCompiler;

/** Writes the Java sources of Avro schemas: Generate FOLDER SCHEMA... */
public final class Generate {
    public static void main(String[] args) throws IOException {
        for (String schema : Arrays.copyOfRange(args, 1, args.length)) {
            SpecificCompiler.compileSchema(new File(schema), new File(args[0]));
        }
    }
}
