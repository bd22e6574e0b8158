// A server with MongoDB's protocol for the tests: java -cp 'build/mongo-test-server/*' tests/mongo/MongoTestServer.java FILE [PORT]
// Keeps its data in FILE (or, called `memory`, nowhere), prints "port N" and runs until it is killed. Whatever it has answered
// survives SIGKILL: each command that changes something is written to the file before its reply. And whole, one at a time: what
// another writes meanwhile would else write half of it too, so that a document is in one index and not in the next.
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.Set;
import org.h2.mvstore.MVStore;

public class MongoTestServer {
  private static final Set<String> CHANGES =
      Set.of("insert", "update", "delete", "findandmodify", "createindexes", "create", "drop", "dropdatabase");

  private static class DurableBackend extends H2Backend {
    private final Object changing = new Object();

    DurableBackend(MVStore store) {
      super(store);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
      if (isInMemory() || !CHANGES.contains(command.toLowerCase())) return super.handleCommand(channel, database, command, query);
      synchronized (changing) {
        Document reply = super.handleCommand(channel, database, command, query);
        commit();
        return reply;
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    String file = arguments[0].equals("memory") ? null : arguments[0];
    MVStore store = new MVStore.Builder().fileName(file).autoCommitDisabled().open();
    MongoServer server = new MongoServer(new DurableBackend(store));
    server.bind("127.0.0.1", arguments.length > 1 ? Integer.parseInt(arguments[1]) : 0);
    System.out.println("port " + server.getLocalAddress().getPort());
    System.out.flush();
    Thread.currentThread().join();
  }
}
