import com.eatthepath.pushy.apns.auth.ApnsVerificationKey;
import com.eatthepath.pushy.apns.server.MockApnsServerBuilder;
import com.eatthepath.pushy.apns.server.PushNotificationHandler;
import com.eatthepath.pushy.apns.server.PushNotificationHandlerFactory;
import com.eatthepath.pushy.apns.server.RejectedNotificationException;
import com.eatthepath.pushy.apns.server.RejectionReason;
import com.eatthepath.pushy.apns.server.ValidatingPushNotificationHandlerFactory;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.impl.ECDSA;
import com.nimbusds.jwt.SignedJWT;
import java.io.File;
import java.io.FileWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * pushy's MockApnsServer with its validating handler. Arguments: port, certificate, its PKCS#8 key, our public key
 * (PEM), key id, team id, topic, file of device tokens ("TOKEN" or "TOKEN gone-since-millis" a line), file to append
 * accepted messages to ("apns-id TAB token TAB payload" a line).
 *
 * pushy checks a provider token's signature as DER, which is not what RFC 7518 (section 3.4) says: the token is
 * verified as it came by a JOSE library first, then handed to pushy with its signature transcoded.
 */
public final class ApplePeer {
  public static void main(String[] a) throws Exception {
    final int port = Integer.parseInt(a[0]);
    final ApnsVerificationKey key;
    try (var in = Files.newInputStream(Path.of(a[3]))) {
      key = ApnsVerificationKey.loadFromInputStream(in, a[5], a[4]);
    }
    final String topic = a[6];
    final Set<String> tokens = new HashSet<>();
    final Map<String, Instant> gone = new HashMap<>();
    for (String line : Files.readAllLines(Path.of(a[7]))) {
      final String[] words = line.split(" ");
      tokens.add(words[0]);
      if (words.length > 1) {
        gone.put(words[0], Instant.ofEpochMilli(Long.parseLong(words[1])));
      }
    }
    final var pushy = new ValidatingPushNotificationHandlerFactory(
        Map.of(topic, tokens), gone, Map.of(key.getKeyId(), key), Map.of(key, Set.of(topic)));
    final Writer accepted = new FileWriter(a[8], StandardCharsets.UTF_8, true);
    final PushNotificationHandlerFactory checked = session -> {
      final PushNotificationHandler inner = pushy.buildHandler(session);
      return (headers, payload) -> {
        final CharSequence given = headers.get("authorization");
        if (given != null) {
          headers.set("authorization", "bearer " + withDerSignature(verified(given.toString(), key)));
        }
        final String text = payload == null ? "" : payload.toString(StandardCharsets.UTF_8);
        inner.handlePushNotification(headers, payload);
        final String path = headers.get(":path").toString();
        synchronized (accepted) {
          try {
            accepted.write(headers.get("apns-id") + "\t" + path.substring(path.lastIndexOf('/') + 1) + "\t" + text + "\n");
            accepted.flush();
          } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        }
      };
    };
    new MockApnsServerBuilder()
        .setServerCredentials(new File(a[1]), new File(a[2]), null)
        .setHandlerFactory(checked)
        .setMaxConcurrentStreams(100)
        .setUseAlpn(true)
        .build()
        .start(port)
        .get();
    Thread.currentThread().join();
  }

  private static SignedJWT verified(String header, ApnsVerificationKey key) throws RejectedNotificationException {
    try {
      final SignedJWT token = SignedJWT.parse(header.replaceFirst("^bearer ", ""));
      if (token.getHeader().getAlgorithm().equals(JWSAlgorithm.ES256)
          && token.getJWTClaimsSet().getIssueTime() != null
          && token.verify(new ECDSAVerifier(key.getKey()))) {
        return token;
      }
    } catch (java.text.ParseException | com.nimbusds.jose.JOSEException e) {
      // refused below
    }
    throw new RejectedNotificationException(RejectionReason.INVALID_PROVIDER_TOKEN);
  }

  private static String withDerSignature(SignedJWT token) throws RejectedNotificationException {
    try {
      final byte[] der = ECDSA.transcodeSignatureToDER(token.getSignature().decode());
      return new String(token.getSigningInput(), StandardCharsets.US_ASCII) + "."
          + Base64.getUrlEncoder().withoutPadding().encodeToString(der);
    } catch (com.nimbusds.jose.JOSEException e) {
      throw new RejectedNotificationException(RejectionReason.INVALID_PROVIDER_TOKEN);
    }
  }
}
