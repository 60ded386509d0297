/** HiveMQ CE as a library in a Java program of a few lines. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cached, type Kind, run, serve } from "./process.js";

const VERSION = "2025.5";

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>wasieve</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>com.hivemq</groupId>
    <artifactId>hivemq-community-edition-embedded</artifactId>
    <version>${VERSION}</version>
  </dependency></dependencies>
</project>
`;

const MAIN = `import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;

public class Main {
  public static void main(String[] args) {
    Path folder = Path.of(args[0]);
    EmbeddedHiveMQ.builder()
        .withConfigurationFolder(folder.resolve("conf"))
        .withDataFolder(folder.resolve("data"))
        .withExtensionsFolder(folder.resolve("extensions"))
        .build()
        .start()
        .join();
    System.out.println("ready");
  }
}
`;

/** Its queue per client holds 1,000 messages unless told otherwise, and drops what comes beyond. */
const config = (port: number) => `<?xml version="1.0"?>
<hivemq>
  <listeners><tcp-listener>
    <port>${port}</port><bind-address>127.0.0.1</bind-address>
  </tcp-listener></listeners>
  <mqtt>
    <queued-messages><max-queue-size>100000</max-queue-size></queued-messages>
    <receive-maximum><server-receive-maximum>1000</server-receive-maximum></receive-maximum>
  </mqtt>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
`;

export const hivemq: Kind = {
	name: `HiveMQ CE ${VERSION}`,
	protocols: [4, 5],
	highest: 2,
	async obtain() {
		const folder = cached(`hivemq-${VERSION}`);
		if (existsSync(join(folder, "Main.class"))) return folder;
		writeFileSync(join(folder, "pom.xml"), POM);
		writeFileSync(join(folder, "Main.java"), MAIN);
		await run(
			"mvn",
			["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
			{ cwd: folder },
		);
		await run("javac", ["-cp", "lib/*", "Main.java"], { cwd: folder });
		return folder;
	},
	start(program, folder, port) {
		for (const name of ["conf", "data", "extensions"])
			mkdirSync(join(folder, name), { recursive: true });
		writeFileSync(join(folder, "conf", "config.xml"), config(port));
		const classes = [program, join(program, "lib", "*")].join(delimiter);
		const args = ["-Xmx1g", "-cp", classes, "Main", folder];
		return serve("java", args, /^ready$/m);
	},
};
