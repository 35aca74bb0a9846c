name := "hello"
version := "1.0.0"
scalaVersion := "2.13.16"
libraryDependencies ++= Seq(
  "org.apache.pekko" %% "pekko-http" % "1.2.0",
  "org.apache.pekko" %% "pekko-actor-typed" % "1.1.3",
  "org.apache.pekko" %% "pekko-stream" % "1.1.3"
)
enablePlugins(JavaAppPackaging)
