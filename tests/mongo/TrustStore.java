// Java reads no SSL_CERT_FILE: java tests/mongo/TrustStore.java BUNDLE.pem STORE.p12 makes a trust store (password "changeit") of it.
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

public class TrustStore {
  public static void main(String[] arguments) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    int number = 0;
    try (var bundle = new FileInputStream(arguments[0])) {
      for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
        store.setCertificateEntry("authority " + ++number, certificate);
      }
    }
    if (number == 0) throw new IllegalArgumentException(arguments[0] + " holds no certificate");
    try (var file = new FileOutputStream(arguments[1])) {
      store.store(file, "changeit".toCharArray());
    }
  }
}
