"""LangChain: documents are embedded, searched, and what was found goes into the answer."""

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

HANDBOOK = ["Orders are delivered within three days.", "Broken goods are paid back within thirty days."]


def main() -> None:
    # Whole texts in place of tokens: what counts those would be fetched from the network.
    store = InMemoryVectorStore(OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False))
    store.add_documents([Document(text) for text in HANDBOOK])
    prompt = ChatPromptTemplate.from_template("Answer {question} by this: {found}")
    chain = (
        {"found": store.as_retriever(search_kwargs={"k": 1}), "question": RunnablePassthrough()}
        | prompt
        | ChatOpenAI(model="gpt-5-mini")
    ).with_config(run_name="handbook")
    print(chain.invoke("Do I get my money back?").content)


if __name__ == "__main__":
    main()
