import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.server.BenchmarkApnsServerBuilder;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import io.netty.channel.nio.NioEventLoopGroup;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/**
 * pushy as its documentation shows it, and its own server for measurements, which answers every request with 200 at once
 * and keeps nothing:
 *
 *   PushyRate server PORT CERTIFICATE KEY
 *   PushyRate client PORT CA KEY TEAM KEY_ID TOPIC PAYLOAD WARM COUNT
 *
 * The client sends WARM pushes first, which are not counted. It prints {"messages", "seconds"} as JSON.
 */
public final class PushyRate {
  private static final int CONNECTIONS = 2; // as Semel's
  private static final int WAITING = 10_000; // what its documentation advises to have under way

  public static void main(String[] a) throws Exception {
    if (a[0].equals("server")) {
      new BenchmarkApnsServerBuilder()
          .setServerCredentials(new File(a[2]), new File(a[3]), null)
          .setEventLoopGroup(new NioEventLoopGroup(1))
          .setMaxConcurrentStreams(1000) // Apple's
          .setUseAlpn(true)
          .build()
          .start(Integer.parseInt(a[1]))
          .get();
      Thread.currentThread().join();
    }
    final ApnsClient client = new ApnsClientBuilder()
        .setApnsServer("127.0.0.1", Integer.parseInt(a[1]))
        .setTrustedServerCertificateChain(new File(a[2]))
        .setSigningKey(ApnsSigningKey.loadFromPkcs8File(new File(a[3]), a[4], a[5]))
        .setConcurrentConnections(CONNECTIONS)
        .build();
    final String payload = Files.readString(Path.of(a[7]));
    push(client, a[6], payload, Integer.parseInt(a[8]));
    final int count = Integer.parseInt(a[9]);
    final double seconds = push(client, a[6], payload, count);
    System.out.println("{\"messages\": " + count + ", \"seconds\": " + seconds + "}");
    client.close().get();
  }

  private static double push(ApnsClient client, String topic, String payload, int count) throws Exception {
    final Semaphore room = new Semaphore(WAITING);
    final LongAdder refused = new LongAdder();
    final long began = System.nanoTime();
    for (int n = 0; n < count; ++n) {
      room.acquire();
      client.sendNotification(new SimpleApnsPushNotification(String.format("%064x", n), topic, payload))
          .whenComplete((answer, error) -> {
            if (error != null || !answer.isAccepted()) {
              refused.increment();
            }
            room.release();
          });
    }
    room.acquire(WAITING);
    if (refused.sum() > 0) {
      throw new IllegalStateException(refused.sum() + " of " + count + " pushes were not accepted");
    }
    return (System.nanoTime() - began) / 1e9;
  }
}
