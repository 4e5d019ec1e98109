"""An analyzer that finds fault with every stack; it needs nothing but Pulumi's own SDK."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2


class Strict(analyzer_pb2_grpc.AnalyzerServicer):
    def GetAnalyzerInfo(self, _request: Any, _context: Any) -> Any:
        return analyzer_pb2.AnalyzerInfo(name="strict", version="1.0.0")

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Configure(self, _request: Any, _context: Any) -> Any:
        return empty_pb2.Empty()

    def ConfigureStack(self, _request: Any, _context: Any) -> Any:
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, _request: Any, _context: Any) -> Any:
        return analyzer_pb2.AnalyzeResponse()

    def Remediate(self, _request: Any, _context: Any) -> Any:
        return analyzer_pb2.RemediateResponse()

    def AnalyzeStack(self, _request: Any, _context: Any) -> Any:
        fault = analyzer_pb2.AnalyzeDiagnostic(
            policyName="never",
            policyPackName="strict",
            message="no stack passes this pack",
            enforcementLevel=analyzer_pb2.MANDATORY,
        )
        return analyzer_pb2.AnalyzeResponse(diagnostics=[fault])


server = grpc.server(ThreadPoolExecutor(max_workers=4))
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Strict(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
