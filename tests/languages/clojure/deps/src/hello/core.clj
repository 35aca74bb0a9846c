(ns hello.core
  (:gen-class)
  (:import (jakarta.servlet.http HttpServletRequest HttpServletResponse)
           (org.eclipse.jetty.server Request Server)
           (org.eclipse.jetty.server.handler AbstractHandler)))

(defn handler []
  (proxy [AbstractHandler] []
    (handle [_ ^Request base ^HttpServletRequest _request ^HttpServletResponse response]
      (.setContentType response "text/plain")
      (.print (.getWriter response) (str "Hello from Jetty on Clojure " (clojure-version) "\n"))
      (.setHandled base true))))

(defn -main [& _]
  (doto (Server. (Integer/parseInt (or (System/getenv "PORT") "5000")))
    (.setHandler (handler))
    (.setStopAtShutdown true)
    (.start)
    (.join)))
