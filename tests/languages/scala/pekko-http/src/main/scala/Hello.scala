import org.apache.pekko.actor.typed.ActorSystem
import org.apache.pekko.actor.typed.scaladsl.Behaviors
import org.apache.pekko.http.scaladsl.Http
import org.apache.pekko.http.scaladsl.server.Directives._

object Hello extends App {
  implicit val system: ActorSystem[Nothing] = ActorSystem(Behaviors.empty, "hello")

  private val greeting = s"Hello from Pekko HTTP on Scala ${scala.util.Properties.versionNumberString}\n"
  Http().newServerAt("0.0.0.0", sys.env("PORT").toInt).bind(pathSingleSlash(complete(greeting)))
}
