import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;

/** Answers with the Java it runs on and the version of a C library that it calls. */
public class Hello {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
        server.createContext("/", exchange -> {
            byte[] body = greeting().getBytes("UTF-8");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static String greeting() {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            ResultSet row = connection.createStatement().executeQuery("select sqlite_version()");
            return "Java " + System.getProperty("java.specification.version") + ", SQLite " + row.getString(1);
        } catch (Exception error) {
            return error.toString();
        }
    }
}
